"""Small clips finished, on a tiny random model of the bundled kind; the clip as the model made it stays beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.backend.registry import ModelRegistry
from engines.composition.finishing.engine import FinishingEngine
from engines.composition.finishing.request import FinishedTextToVideoRequest
from engines.context import CancelToken, Progress, RunContext
from engines.errors import Cancelled
from engines.media.metadata import read_record
from engines.media.reader import read_clip
from engines.task import OutputFile, Result, make_engine, recorded_fields, request_class
from engines.text_to_video.engine import TextToVideoEngine
from engines.text_to_video.request import TextToVideoRequest

SMALL: dict[str, Any] = {"prompt": "a fox on a beach", "width": 64, "height": 64, "frames": 9, "steps": 2}


def render(models: ModelRegistry, folder: Path, **fields: Any) -> Result:
    return FinishingEngine(models).run(FinishedTextToVideoRequest(**(SMALL | fields)), RunContext(folder))


def of_kind(result: Result, kind: str) -> list[OutputFile]:
    return [file for file in result.files if file.kind == kind]


def test_a_clip_is_finished_and_stays_as_the_model_made_it(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    result = render(tiny_diorama, tmp_path / "finished", seed=3, takes=2)
    videos, unfinished = of_kind(result, "video"), of_kind(result, "unfinished")
    assert [file.seed for file in videos] == [file.seed for file in unfinished] == [3, 4]
    assert [file.seed for file in of_kind(result, "thumbnail")] == [3, 4]
    made = read_clip(videos[1].path)
    assert (made.frames.shape, made.fps) == ((18, 256, 256, 3), 48)
    assert (result.measurements["width"], result.measurements["fps"]) == (256, 48)
    plain = TextToVideoEngine(tiny_diorama).run(TextToVideoRequest(**SMALL, seed=4), RunContext(tmp_path / "plain"))
    assert np.array_equal(read_clip(unfinished[1].path).frames, read_clip(plain.files[0].path).frames)
    assert read_record(unfinished[1].path) == read_record(plain.files[0].path)


def test_each_file_says_what_makes_it_again(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    result = render(tiny_diorama, tmp_path / "both", seed=3, takes=2)
    second = of_kind(result, "video")[1].path
    record = read_record(second)
    fields = recorded_fields(record.request)
    assert (fields["finish"], fields["seed"], fields["takes"]) == (True, 4, 1)
    assert set(record.model["finishing"]) == {"upscaling", "interpolation"}
    again = render(tiny_diorama, tmp_path / "again", **fields)
    assert read_record(of_kind(again, "video")[0].path) == record
    unfinished = recorded_fields(read_record(of_kind(result, "unfinished")[1].path).request)
    assert unfinished["finish"] is False, "a record without the field is of a clip that was not finished"


def test_the_work_folder_itself_holds_only_what_was_asked_for(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    """A studio that lost its list finds a job's result there by the request inside: a clip on its way is none."""
    render(tiny_diorama, tmp_path, takes=2)
    videos = sorted(tmp_path.glob("*.mp4"))
    assert [read_record(path).request["finish"] for path in videos] == [True, True]


def test_finishing_starts_from_the_frames_and_not_from_the_encoded_clip(
    tiny_diorama: ModelRegistry, tmp_path: Path
) -> None:
    result = render(tiny_diorama, tmp_path)
    frames = read_clip(of_kind(result, "frames")[0].path).frames
    encoded = read_clip(of_kind(result, "unfinished")[0].path).frames
    assert frames.shape == encoded.shape
    assert not np.array_equal(frames, encoded)
    small = read_clip(of_kind(result, "video")[0].path).frames[::2].reshape(9, 64, 4, 64, 4, 3).mean((2, 4))
    assert np.abs(small - frames).mean() < 3


def test_a_second_run_keeps_what_is_finished(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    stop = CancelToken()

    def report(progress: Progress) -> None:
        if progress.phase == "joining":
            stop.cancel()

    request = FinishedTextToVideoRequest(**SMALL)
    with pytest.raises(Cancelled):
        FinishingEngine(tiny_diorama).run(request, RunContext(tmp_path, report, stop))
    again = render(tiny_diorama, tmp_path)
    assert again.measurements["takes_kept"] == 1
    assert again.measurements["chunks_kept"] == 1


@pytest.mark.parametrize("output_format", ["webm", "gif", "png"])
def test_other_formats_hold_their_settings_too(tiny_diorama: ModelRegistry, tmp_path: Path, output_format: str) -> None:
    result = render(tiny_diorama, tmp_path, output_format=output_format)
    path = of_kind(result, "video")[0].path
    assert read_record(path).request["finish"] is True
    assert read_clip(path).frames.shape[1:] == (256, 256, 3)


def test_one_picture_becomes_larger_and_a_large_clip_stays(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    picture = render(tiny_diorama, tmp_path / "picture", frames=1)
    assert read_clip(of_kind(picture, "video")[0].path).frames.shape == (1, 256, 256, 3)
    large = render(tiny_diorama, tmp_path / "large", width=288, height=32, frames=1)
    assert not of_kind(large, "unfinished")
    assert read_clip(of_kind(large, "video")[0].path).frames.shape == (1, 32, 288, 3)


def test_the_task_finishes_unless_told_otherwise() -> None:
    assert isinstance(make_engine("text_to_video"), FinishingEngine)
    assert request_class("text_to_video")(prompt="a fox").model_dump()["finish"] is True
