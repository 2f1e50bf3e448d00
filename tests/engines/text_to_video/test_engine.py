"""The engine on a tiny random model of the bundled kind: files, records, previews, cancel, takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from engines.backend.memory.plan import Placement
from engines.backend.registry import ModelRegistry
from engines.context import CancelToken, Progress, RunContext
from engines.errors import Cancelled, ResourceError
from engines.media.metadata import read_record
from engines.media.reader import ClipReader
from engines.task import Result
from engines.text_to_video.engine import TextToVideoEngine
from engines.text_to_video.request import TextToVideoRequest
from tests.engines.tiny_models import tiny_catalogue


def wanted(**fields: Any) -> TextToVideoRequest:
    small: dict[str, Any] = {
        "prompt": "a red fox bounces on a beach",
        "width": 64,
        "height": 64,
        "frames": 9,
        "steps": 4,
    }
    return TextToVideoRequest(**(small | fields))


def render(models: ModelRegistry, folder: Path, **fields: Any) -> Result:
    return TextToVideoEngine(models).run(wanted(**fields), RunContext(folder))


def frames_of(path: Path) -> np.ndarray:
    return np.concatenate(list(ClipReader(path)))


def test_a_prompt_becomes_a_video_that_carries_its_request(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    result = render(tiny_diorama, tmp_path, seed=5)
    video, still = result.files
    assert (video.kind, video.seed, video.path.suffix) == ("video", 5, ".mp4")
    assert frames_of(video.path).shape == (9, 64, 64, 3)
    assert (still.kind, still.seed) == ("thumbnail", 5)
    middle = frames_of(video.path)[4].astype(int)
    shown = np.asarray(Image.open(still.path).convert("RGB")).astype(int)
    assert abs(shown - middle).mean() < 12, "the still is the middle frame, before H.264"
    assert abs(shown - middle).mean() < abs(shown - frames_of(video.path)[0].astype(int)).mean()
    record = read_record(video.path)
    assert record.request == {"task": "text_to_video", **wanted(seed=5).model_dump(mode="json")}
    assert record.model == {"id": "diorama", "revision": tiny_diorama.load("diorama").revision}
    assert record.fingerprint["dtype"] == "float32"
    assert result.measurements["evaluations"] == 8
    assert result.measurements["seconds_per_step"] > 0
    assert result.measurements["seconds"] > 4 * result.measurements["seconds_per_step"]
    assert result.measurements["peak_memory_bytes"] > 50e6


def test_takes_have_their_own_files_and_each_renders_again_alone(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    result = render(tiny_diorama, tmp_path / "all", seed=7, takes=3)
    videos = [file for file in result.files if file.kind == "video"]
    assert [file.seed for file in videos] == [7, 8, 9]
    assert [file.kind for file in result.files] == [*["video", "thumbnail"] * 3, "contact_sheet"]
    assert all(file.path.is_file() for file in result.files)
    clips = [frames_of(file.path) for file in videos]
    assert abs(clips[0].astype(int) - clips[1]).max() > 20, "another seed, another video"

    request = dict(read_record(videos[1].path).request)
    assert request.pop("task") == "text_to_video"
    assert (request["seed"], request["takes"]) == (8, 1)
    alone = TextToVideoEngine(tiny_diorama).run(TextToVideoRequest(**request), RunContext(tmp_path / "alone"))
    assert read_record(alone.files[0].path) == read_record(videos[1].path)
    assert np.array_equal(frames_of(alone.files[0].path), clips[1])


def test_a_second_run_keeps_finished_takes_of_the_same_request(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    stop = CancelToken()

    def report(progress: Progress) -> None:
        if progress.message == "Version 2 of 2." and progress.step == 1:
            stop.cancel()

    with pytest.raises(Cancelled):
        TextToVideoEngine(tiny_diorama).run(wanted(takes=2), RunContext(tmp_path, report, stop))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seed_0.mp4", "seed_0_thumbnail.webp"]
    written = (tmp_path / "seed_0.mp4").stat().st_mtime_ns

    again = render(tiny_diorama, tmp_path, takes=2)
    assert again.measurements["takes_kept"] == 1
    assert again.measurements["evaluations"] == 8
    assert (tmp_path / "seed_0.mp4").stat().st_mtime_ns == written
    other = render(tiny_diorama, tmp_path, takes=2, steps=3)
    assert other.measurements["takes_kept"] == 0, "another request is not the same take"


def test_a_damaged_take_is_made_again(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    (tmp_path / "seed_0.mp4").write_text("not a video")
    assert render(tiny_diorama, tmp_path).measurements["takes_kept"] == 0
    assert len(frames_of(tmp_path / "seed_0.mp4")) == 9


def test_progress_is_driven_by_steps_and_previews_come_in_time(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    seen: list[Progress] = []
    TextToVideoEngine(tiny_diorama).run(wanted(steps=6, preview_every=2), RunContext(tmp_path, seen.append))
    phases = list(dict.fromkeys(progress.phase for progress in seen))
    assert phases == ["loading", "encoding", "denoising", "decoding", "writing"]
    denoising = [progress for progress in seen if progress.phase == "denoising"]
    assert [(progress.step, progress.total) for progress in denoising] == [(step, 6) for step in range(7)]
    previews = {progress.step: progress.preview for progress in denoising if progress.preview is not None}
    assert sorted(previews) == [2, 4]
    assert previews[2] is not None
    assert previews[2].shape == (9, 64, 64, 3)
    assert previews[2].dtype == np.uint8


def test_cancel_is_heard_at_the_next_step_and_leaves_no_file(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    stop = CancelToken()
    seen: list[int] = []

    def report(progress: Progress) -> None:
        if progress.phase == "denoising":
            seen.append(progress.step)
            if progress.step == 2:
                stop.cancel()

    with pytest.raises(Cancelled):
        TextToVideoEngine(tiny_diorama).run(wanted(steps=50), RunContext(tmp_path, report, stop))
    assert seen == [0, 1, 2]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "evaluations"),
    [
        ({"solver": "midpoint"}, 16),
        ({"solver": "heun"}, 14),
        ({"guidance_scale": 1.0}, 4),
        ({"guidance_start": 0.5}, 6),
        ({"schedule": "linear_quadratic"}, 8),
        ({"schedule": "shifted"}, 8),
        ({"schedule": "linear"}, 8),
    ],
)
def test_choices_reach_the_sampler(
    tiny_diorama: ModelRegistry, tmp_path: Path, fields: dict[str, Any], evaluations: int
) -> None:
    plain = render(tiny_diorama, tmp_path / "plain")
    changed = render(tiny_diorama, tmp_path / "changed", **fields)
    assert changed.measurements["evaluations"] == evaluations
    digests = [read_record(result.files[0].path).frames_sha256 for result in (plain, changed)]
    assert digests[0] != digests[1]


@pytest.mark.parametrize("output_format", ["webm", "gif", "png"])
def test_other_formats_carry_the_request_too(tiny_diorama: ModelRegistry, tmp_path: Path, output_format: str) -> None:
    result = render(tiny_diorama, tmp_path, output_format=output_format, takes=2, steps=1)
    assert read_record(result.files[0].path).request["output_format"] == output_format
    kinds = [file.kind for file in result.files]
    each = ["video", "thumbnail"] if output_format == "webm" else ["video", "thumbnail", "metadata"]
    assert kinds == [*each, *each, "contact_sheet"]


def test_a_single_frame_is_a_video_too(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    assert len(frames_of(render(tiny_diorama, tmp_path, frames=1, steps=1).files[0].path)) == 1


def test_the_hub_kind_of_model_renders(tiny_ltx: ModelRegistry, tmp_path: Path) -> None:
    result = render(tiny_ltx, tmp_path, model="ltx_video", steps=2, preview_every=1)
    assert frames_of(result.files[0].path).shape == (9, 64, 64, 3)


def test_words_that_were_not_read_are_named(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    result = render(tiny_diorama, tmp_path, prompt="a red fox on the beach " * 10, steps=1)
    assert any(warning.startswith("The prompt is too long for this model; not read: “") for warning in result.warnings)


def test_a_folder_that_is_no_folder_is_refused_before_loading(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    seen: list[Progress] = []
    with pytest.raises(ResourceError) as caught:
        TextToVideoEngine(tiny_diorama).run(wanted(), RunContext(tmp_path / "file", seen.append))
    assert caught.value.fix == "Choose another folder, or give this one the permission to write."
    assert seen == []


def test_the_bundled_model_renders(bundled_model: ModelRegistry, tmp_path: Path) -> None:
    request = TextToVideoRequest(prompt="an apple spins on the beach", steps=2)
    result = TextToVideoEngine(bundled_model).run(request, RunContext(tmp_path))
    clip = frames_of(result.files[0].path)
    assert clip.shape == (17, 96, 96, 3)
    assert clip.std() > 5
    assert result.warnings == []


def frames_with(budget: int, folder: Path, weights: Path) -> tuple[np.ndarray, Result, ModelRegistry]:
    models = ModelRegistry(tiny_catalogue(weights, "ltx_video"), torch.device("cpu"), torch.float32, budget)
    result = TextToVideoEngine(models).run(wanted(model="ltx_video", output_format="png"), RunContext(folder))
    return frames_of(result.files[0].path), result, models


def test_a_small_memory_budget_gives_the_same_frames(tiny_ltx_folder: Path, tmp_path: Path) -> None:
    whole, wide, _ = frames_with(10**9, tmp_path / "wide", tiny_ltx_folder)
    planned = int(wide.measurements["planned_memory_bytes"])
    frames, narrow, models = frames_with(int(planned * 0.97), tmp_path / "narrow", tiny_ltx_folder)
    assert np.array_equal(frames, whole)
    assert narrow.measurements["planned_memory_bytes"] < planned
    plan = models.load("ltx_video").residence.plan
    assert plan is not None
    assert plan.placement is not Placement.RESIDENT


def test_a_budget_below_the_smallest_plan_is_refused_before_anything_is_rendered(
    tiny_ltx_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ResourceError, match="at the least") as caught:
        frames_with(1000, tmp_path, tiny_ltx_folder)
    assert "raise the memory budget" in caught.value.fix
    assert not list(tmp_path.rglob("*.png"))
