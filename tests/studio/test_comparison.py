"""Before and after have clocks that go together, whatever was done to the time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engines.media.formats import h265
from engines.task import OutputFile, Result
from studio.comparison import clocks, comparison
from studio.files import FileServer
from studio.jobs.job import Job
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles
from studio.source_preview import info_of
from tests.studio.a_job import job
from tests.studio.footage_files import FPS, clip, picture


@pytest.fixture
def owned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OwnedFiles:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    return OwnedFiles(JobQueue(tmp_path / "home", worker="inline"))


def finished(owned: OwnedFiles, before: str, after: str, frames: float = 12.0, **fields: Any) -> tuple[Job, Path]:
    folder = owned.queue.home / "jobs" / ("a" * 32)
    folder.mkdir(exist_ok=True)
    for name in (before, after):
        make = picture if name.endswith(".png") else clip
        make(folder / name, **({"how": h265(20)} if "hevc" in name else {}))
    measured = {"frames": frames, "fps": float(FPS)}
    result = Result(files=[OutputFile(path=folder / after, kind="video")], measurements=measured)
    made = {"video": str(folder / before), "start": 0.0} | fields
    return job(folder, task="super_resolution", status="done", fields=made, result=result), folder / after


def test_two_videos_are_served_as_they_are(owned: OwnedFiles) -> None:
    value = comparison(*finished(owned, "before.mp4", "after.mp4", start=0.5), owned, FileServer())
    assert value["moves"]
    assert value["before"] is not None
    assert value["after"] is not None
    assert (value["start"], value["rate"], value["fps"]) == (0.5, 1.0, 12.0)
    assert (value["width"], value["height"]) == (96, 64)


def test_what_browsers_do_not_play_is_served_as_a_copy(owned: OwnedFiles) -> None:
    value = comparison(*finished(owned, "before_hevc.mp4", "after_hevc.mp4"), owned, FileServer())
    assert value["before"] is not None
    assert value["before"]["path"].endswith(".preview.mp4")
    assert (owned.queue.home / "jobs" / ("a" * 32) / "previews").is_dir()


def test_pictures_are_compared_as_pictures(owned: OwnedFiles) -> None:
    value = comparison(*finished(owned, "before.png", "after.png", frames=1.0), owned, FileServer())
    assert not value["moves"]
    assert value["before"] is not None


def test_a_morph_has_no_before(owned: OwnedFiles) -> None:
    value = comparison(*finished(owned, "before.png", "after.mp4", second="x.png"), owned, FileServer())
    assert value["before"] is None
    assert value["moves"]


def test_slow_motion_and_pictures_without_a_clock_change_the_rate(tmp_path: Path) -> None:
    after = info_of(clip(tmp_path / "a.mp4"))
    assert clocks({"start": 2.0, "slower": 4.0}, {"fps": 12.0}, after) == (2.0, 0.25)
    assert clocks({"start": None}, {"fps": 24.0}, after) == (0.0, 0.5)
    assert clocks({}, {}, after) == (0.0, 1.0)
