"""Files that are brought: checked, copied once, and known again."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engines.errors import InvalidRequest, LimitExceeded, MediaError
from engines.media.metadata import OutputRecord, sidecar_of
from engines.media.probe import probe
from engines.media.writer import ClipWriter
from engines.task import OutputFile, Result
from studio.jobs.imports import UNREADABLE_SETTINGS
from studio.jobs.job import IMPORTED
from studio.jobs.queue import JobQueue
from tests.studio.footage_files import FPS, clip, frames, picture
from tests.studio.jobs.conftest import wait_for_end

REQUEST = {"task": "text_to_video", "prompt": "a fox", "seed": 3}


def with_record(path: Path, request: dict[str, object]) -> Path:
    with ClipWriter(path, FPS, metadata=OutputRecord(framewright="0.1", request=request)) as writer:
        writer.write(frames(6))
    return path


def sequence(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(3):
            still = picture(path.with_name(f"{number}.png"))
            archive.write(still, still.name)
    return path


@pytest.mark.parametrize(
    ("name", "make"),
    [("a b.mp4", clip), ("a.webm", clip), ("a.gif", clip), ("a.jpg", picture), ("a.png", picture), ("a.zip", sequence)],
)
def test_what_can_be_read_is_copied_with_a_still(
    waiting_queue: JobQueue, tmp_path: Path, name: str, make: Callable[[Path], Path]
) -> None:
    given = make(tmp_path / name)
    before = (given.read_bytes(), given.stat().st_mtime_ns)
    brought = waiting_queue.imports.add(given, "local")
    job = brought.job
    assert (brought.kind, job.task, job.status, job.owner) == ("new", IMPORTED, "done", "local")
    assert job.result is not None
    copy, still = (file.path for file in job.result.files)
    assert copy.read_bytes() == before[0]
    assert copy.is_relative_to(job.folder)
    assert probe(still).width == 96
    assert (given.read_bytes(), given.stat().st_mtime_ns) == before
    assert job.inputs["video"][0]["name"] == name
    assert job.fields["record"] is None
    given.write_bytes(b"changed afterwards")
    assert copy.read_bytes() == before[0]


def test_the_settings_inside_come_along_and_those_beside_too(waiting_queue: JobQueue, tmp_path: Path) -> None:
    inside = waiting_queue.imports.add(with_record(tmp_path / "a.mp4", REQUEST), "local").job
    assert inside.fields["record"] == REQUEST
    given = with_record(tmp_path / "b.gif", REQUEST)
    beside = waiting_queue.imports.add(given, "local", sidecar_of(given)).job
    assert beside.fields["record"] == REQUEST


def test_settings_that_cannot_be_read_are_said(waiting_queue: JobQueue, tmp_path: Path) -> None:
    given = clip(tmp_path / "a.gif")
    sidecar_of(given).write_text("{not json")
    job = waiting_queue.imports.add(given, "local", sidecar_of(given)).job
    assert job.fields["record"] is None
    assert job.result is not None
    assert job.result.warnings == [UNREADABLE_SETTINGS]


def test_the_same_file_is_there_once_for_each_owner(waiting_queue: JobQueue, tmp_path: Path) -> None:
    given, renamed = clip(tmp_path / "a.mp4"), tmp_path / "b.mp4"
    renamed.write_bytes(given.read_bytes())
    first = waiting_queue.imports.add(given, "local")
    again = waiting_queue.imports.add(renamed, "local")
    assert (again.kind, again.name, again.job.id) == ("known", "b.mp4", first.job.id)
    waiting_queue.delete(first.job.id)
    assert waiting_queue.imports.add(given, "local").kind == "restored"
    assert not waiting_queue.get(first.job.id).trashed
    assert waiting_queue.imports.add(given, "ada").kind == "new"
    assert len(list((waiting_queue.home / "jobs").iterdir())) == 2


def test_many_at_once_make_one(waiting_queue: JobQueue, tmp_path: Path) -> None:
    given = clip(tmp_path / "a.mp4")
    with ThreadPoolExecutor(4) as pool:
        kinds = [one.kind for one in pool.map(lambda _: waiting_queue.imports.add(given, "local"), range(6))]
    assert kinds.count("new") == 1
    assert len(list((waiting_queue.home / "jobs").iterdir())) == 1


def test_a_render_that_comes_back_is_known(inline_queue: JobQueue, tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4")
    made = wait_for_end(inline_queue, inline_queue.submit("fake", {"video": str(source)}))
    assert made.result is not None
    # The fake task's result holds its input's bytes: as a file that was downloaded and is brought again.
    assert inline_queue.imports.add(source, "local").job.id == made.id


def test_a_file_that_was_taken_away_can_be_imported_again(waiting_queue: JobQueue, tmp_path: Path) -> None:
    given = clip(tmp_path / "a.mp4")
    gone = waiting_queue.imports.add(given, "local").job
    (gone.folder / "inputs" / "video" / "a.mp4").unlink()
    again = waiting_queue.imports.add(given, "local")
    assert again.kind == "new"
    assert [job.id for job in waiting_queue.list(task=IMPORTED)] == [again.job.id]


def test_what_is_no_media_or_too_large_leaves_nothing(
    waiting_queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.mp4").write_text("no video")
    with pytest.raises(MediaError, match="Choose a whole file"):
        waiting_queue.imports.add(tmp_path / "notes.mp4", "local")
    cut = clip(tmp_path / "cut.mp4")
    cut.write_bytes(cut.read_bytes()[:-200])
    with pytest.raises(MediaError):
        waiting_queue.imports.add(cut, "local")
    good = clip(tmp_path / "good.mp4")
    monkeypatch.setattr(waiting_queue.disk, "allowed", 100)
    with pytest.raises(LimitExceeded, match="this needs 1 MB more"):
        waiting_queue.imports.add(good, "local")
    assert list((waiting_queue.home / "jobs").iterdir()) == []


def test_imports_are_no_jobs_of_the_queue(waiting_queue: JobQueue, tmp_path: Path) -> None:
    brought = waiting_queue.imports.add(clip(tmp_path / "a.mp4"), "local").job
    assert waiting_queue.list() == []
    assert [job.id for job in waiting_queue.list(with_imports=True)] == [brought.id]
    with pytest.raises(InvalidRequest, match="Import it again"):
        waiting_queue.retry(brought.id)
    assert waiting_queue.cancel(brought.id).status == "done"
    assert waiting_queue.disk.use("local").failed_jobs == 0


def test_the_folder_says_what_it_is(waiting_queue: JobQueue, tmp_path: Path) -> None:
    job = waiting_queue.imports.add(with_record(tmp_path / "a.mp4", REQUEST), "local").job
    data = json.loads((job.folder / "job.json").read_text())
    assert (data["task"], data["fields"]) == (IMPORTED, {"video": "inputs/video/a.mp4", "record": REQUEST})
    assert job.result == Result(
        files=[
            OutputFile(path=job.folder / "inputs/video/a.mp4", kind="video"),
            OutputFile(path=job.folder / "work/a_thumbnail.webp", kind="thumbnail"),
        ],
        measurements={"width": 96.0, "height": 64.0, "fps": 12.0},
    )
