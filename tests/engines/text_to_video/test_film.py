"""Films longer than the window through the engine: as long as asked for, kept part by part, the same after a kill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.backend.registry import ModelRegistry
from engines.context import Progress, RunContext
from engines.errors import Paused
from engines.media.metadata import read_record
from engines.media.reader import ClipReader
from engines.task import Result
from engines.text_to_video.engine import TextToVideoEngine
from engines.text_to_video.request import TextToVideoRequest


def wanted(**fields: Any) -> TextToVideoRequest:
    small: dict[str, Any] = {
        "prompt": "a red fox bounces on a beach", "width": 64, "height": 64, "frames": 62, "steps": 2,
    }  # fmt: skip
    return TextToVideoRequest(**(small | fields))


def render(models: ModelRegistry, folder: Path, context: RunContext | None = None, **fields: Any) -> Result:
    return TextToVideoEngine(models).run(wanted(**fields), context or RunContext(folder))


def frames_of(result: Result) -> np.ndarray:
    return np.concatenate(list(ClipReader(result.files[0].path)))


class Killed(BaseException):
    """No engine catches it."""


def test_a_film_has_the_frames_that_were_asked_for(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    seen: list[Progress] = []
    result = render(tiny_diorama, tmp_path, RunContext(tmp_path, seen.append), preview_every=1)
    assert frames_of(result).shape == (62, 64, 64, 3)
    assert result.measurements["frames"] == 62
    assert result.measurements["evaluations"] == 2 * 2 * 3
    assert {"seam_jump", "drift"} <= result.measurements.keys()
    assert any("are made in 3 chunks" in said for said in result.warnings)
    denoising = [progress for progress in seen if progress.phase == "denoising"]
    assert [progress.step for progress in denoising] == list(range(1, 7))
    assert {progress.total for progress in denoising} == {6}
    assert denoising[0].message == "Part 1 of 3."
    assert denoising[2].message == "Part 2 of 3."
    assert denoising[0].preview is not None
    assert [progress.step for progress in seen if progress.phase == "decoding"][-1] == 62
    assert not (tmp_path / "chunks").exists()
    assert read_record(result.files[0].path).request["frames"] == 62


def test_a_film_that_was_killed_goes_on_and_is_the_same(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    whole = frames_of(render(tiny_diorama, tmp_path / "whole"))

    def kill(progress: Progress) -> None:
        if progress.phase == "denoising" and progress.step == 4:
            raise Killed

    with pytest.raises(Killed):
        render(tiny_diorama, tmp_path, RunContext(tmp_path, kill))
    assert len(list((tmp_path / "chunks").iterdir())) == 1
    again = render(tiny_diorama, tmp_path)
    assert again.measurements["evaluations"] == 2 * 2 * 2
    assert np.array_equal(frames_of(again), whole)


def test_a_film_waits_between_its_parts(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    def pause() -> None:
        raise Paused("The job waits.")

    with pytest.raises(Paused):
        render(tiny_diorama, tmp_path, RunContext(tmp_path, chunk_border=pause))
    assert len(list((tmp_path / "chunks").iterdir())) == 1
    assert frames_of(render(tiny_diorama, tmp_path)).shape[0] == 62


def test_steps_are_reused_inside_each_part(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    plain, cached = (
        frames_of(render(tiny_diorama, tmp_path / kind, steps=8, step_cache=kind)) for kind in ("off", "first_block")
    )
    assert plain.shape == cached.shape
    assert not np.array_equal(plain[40:], cached[40:])


def test_takes_of_a_film_differ_and_share_no_parts(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    result = render(tiny_diorama, tmp_path, takes=2, seed=4)
    first, second = (np.concatenate(list(ClipReader(file.path))) for file in result.files if file.kind == "video")
    assert not np.array_equal(first, second)
    assert np.array_equal(frames_of(render(tiny_diorama, tmp_path / "alone", seed=5)), second)


def test_colours_are_brought_back_to_the_first_parts(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    plain, kept = (
        frames_of(render(tiny_diorama, tmp_path / str(keep), keep_colours=keep, output_format="png")).astype(float)
        for keep in (False, True)
    )
    assert np.array_equal(plain[:25], kept[:25])

    def drift(frames: np.ndarray) -> float:
        return float(np.abs(frames[45:].mean((0, 1, 2)) - frames[:25].mean((0, 1, 2))).max())

    assert drift(kept) < 0.5 * drift(plain) + 0.5
    assert not np.array_equal(plain[25:], kept[25:])


@pytest.mark.parametrize("method", ["streaming", "rolling", "averaged", "spectral", "at once"])
def test_every_way_makes_a_film(method: str, tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    result = render(tiny_diorama, tmp_path, long_method=method, frames=61)
    assert frames_of(result).shape[0] == 61
