from __future__ import annotations

from pathlib import Path

import pytest

import engines.task
from engines.__main__ import main
from engines.context import Progress, RunContext
from engines.errors import InvalidRequest, NotAvailable
from engines.media.metadata import OutputRecord, sidecar_of
from engines.media.reader import read_clip
from engines.media.writer import write_clip
from engines.reproduce import reproduce
from tests.engines.media.synthesis import moving_picture, write_video
from tests.engines.reproduced_task import engine as stripes
from tests.engines.reproduced_task.request import StripesRequest


@pytest.fixture(autouse=True)
def _stripes_are_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engines.task.TASKS, "stripes", "tests.engines.reproduced_task")


def rendered(folder: Path, **values: object) -> Path:
    folder.mkdir(exist_ok=True)
    request = StripesRequest.model_validate(values)
    return stripes.StripesEngine().run(request, RunContext(folder)).files[0].path


@pytest.mark.parametrize("output_format", ["mp4", "webm", "gif", "zip"])
def test_the_same_machine_gives_equal_frames(tmp_path: Path, output_format: str) -> None:
    path = rendered(tmp_path / "first", seed=5, output_format=output_format)
    report = reproduce(path, out_folder=tmp_path / "again")
    assert report.equal
    assert (report.max_abs_difference, report.frames, report.same_fingerprint) == (0, 8, True)
    assert report.differences == []
    assert report.sentence() == "Equal: all 8 frames are the same as in the file."
    assert report.output == tmp_path / "again" / f"take_5_again.{output_format}"
    assert report.output.read_bytes() == path.read_bytes()
    assert sidecar_of(report.output).is_file() == (output_format in ("gif", "zip"))


def test_nothing_is_kept_without_a_folder(tmp_path: Path) -> None:
    path = rendered(tmp_path, seed=5)
    assert reproduce(path).output is None
    assert list(tmp_path.iterdir()) == [path]


def test_progress_goes_to_the_context(tmp_path: Path) -> None:
    path = rendered(tmp_path / "first")
    seen: list[Progress] = []
    (tmp_path / "work").mkdir()
    assert reproduce(path, context=RunContext(tmp_path / "work", seen.append)).equal
    assert [progress.step for progress in seen] == list(range(8))


def test_other_frames_are_measured_and_the_reasons_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = rendered(tmp_path, seed=5)
    before = read_clip(path).frames
    monkeypatch.setitem(stripes.MODEL, "sha256", "bb")
    monkeypatch.setitem(stripes.ENVIRONMENT, "dtype", "bfloat16")
    monkeypatch.setattr(stripes, "BRIGHTNESS", [100])
    report = reproduce(path, out_folder=tmp_path / "again")
    assert not report.equal
    assert not report.same_fingerprint
    assert report.output is not None
    largest = abs(before.astype(int) - read_clip(report.output).frames).max()
    assert report.max_abs_difference == largest > 20
    assert report.differences == [
        "Before encoding, the frames were not the same to the last bit.",
        "The model differs: sha256 aa → bb.",
        "The environment differs: dtype float32 → bfloat16.",
    ]


def test_another_number_of_frames_is_not_equal(tmp_path: Path) -> None:
    path = rendered(tmp_path, seed=5)
    record = OutputRecord(framewright="1.0", request={"task": "stripes", "seed": 5, "frames": 7})
    write_clip(path, read_clip(path), metadata=record)
    report = reproduce(path)
    assert (report.equal, report.max_abs_difference, report.frames) == (False, None, 7)
    assert "The file has 8 frames, the new one 7." in report.sentence()


def test_records_that_cannot_be_rendered(tmp_path: Path) -> None:
    clip = read_clip(rendered(tmp_path))
    for request, fix in (
        ({"task": "cooking"}, "Choose one of: stripes, text_to_video."),
        ({"seed": 1}, "Choose a file that Framewright made."),
        ({"task": "stripes", "seed": -1}, "Choose seed of at least 0."),
    ):
        write_clip(tmp_path / "a.mp4", clip, metadata={"framewright": "1", "request": request})
        with pytest.raises(InvalidRequest) as caught:
            reproduce(tmp_path / "a.mp4")
        if "cooking" not in str(request):  # the list of tasks grows
            assert caught.value.fix == fix
    with pytest.raises(NotAvailable):
        reproduce(write_video(tmp_path / "foreign.mp4", moving_picture(3)))


def test_the_command_says_it_in_a_sentence_and_in_its_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = rendered(tmp_path / "first", seed=5)
    assert main(["reproduce", str(path), "--out", str(tmp_path / "again")]) == 0
    assert capsys.readouterr().out == (
        "Equal: all 8 frames are the same as in the file.\n"
        f"The new file is {tmp_path / 'again' / 'take_5_again.mp4'}.\n"
    )
    monkeypatch.setattr(stripes, "BRIGHTNESS", [100])
    assert main(["reproduce", str(path)]) == 1
    assert capsys.readouterr().out.startswith("Not equal: colour values differ by up to ")
    assert main(["reproduce", str(tmp_path / "none.mp4")]) == 2
    assert capsys.readouterr().err == "“none.mp4” does not exist. Choose a file that exists.\n"
    assert main(["reproduce", str(path), "--out", str(path / "sub")]) == 2
    assert "Choose another folder" in capsys.readouterr().err
