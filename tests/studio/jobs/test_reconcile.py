"""Every kind of damage, made for real: it is said in words, left alone without --repair, and mended with it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engines.task import TASKS
from studio.home import database_path
from studio.jobs.backups import backups
from studio.jobs.inspection import SETTLED_SECONDS
from studio.jobs.job import Job
from studio.jobs.queue import JobQueue
from studio.reconcile import main
from tests.studio.footage_files import clip
from tests.studio.jobs.conftest import PACKAGE, wait_for_end

SQUARE = "tests.studio.moving_square"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a render of two takes, a failed job with an input, and an imported file."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TASKS, "fake", PACKAGE)
        patch.setitem(TASKS, "text_to_video", SQUARE)
        with JobQueue(folder / "home", worker="inline") as queue:
            fields = {"prompt": "a fox", "steps": 1, "frames": 9, "takes": 2, "seed": 7}
            assert wait_for_end(queue, queue.submit("text_to_video", fields)).status == "done"
            failing = {"video": str(clip(folder / "holiday.mp4")), "ends_with": "user_error", "steps": 1}
            assert wait_for_end(queue, queue.submit("fake", failing)).status == "failed"
            queue.imports.add(clip(folder / "beach.mp4", 0.5), "local")
    return folder / "home"


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to be damaged."""
    monkeypatch.setitem(TASKS, "text_to_video", SQUARE)
    return Path(shutil.copytree(made, tmp_path / "home"))


@pytest.fixture
def jobs(home: Path) -> dict[str, Job]:
    """task → job."""
    return {job.task: job for job in listed(home)}


def listed(home: Path) -> list[Job]:
    queue = JobQueue(home, worker="inline")
    found = queue.list(with_imports=True)
    queue.stop()
    return found


def job_of(home: Path, job: Job) -> Job:
    queue = JobQueue(home, worker="inline")
    found = queue.get(job.id)
    queue.stop()
    return found


def change(home: Path, statement: str) -> None:
    connection = sqlite3.connect(database_path(home), isolation_level=None)
    connection.execute(statement)
    connection.close()


def snapshot(home: Path) -> dict[str, bytes]:
    """Every file's bytes; SQLite's companions come and go with whoever reads."""
    files = sorted(path for path in home.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm")))
    return {str(path): path.read_bytes() for path in files}


def findings(home: Path, capsys: pytest.CaptureFixture[str], *options: str, code: int = 1) -> list[str]:
    """The numbered lines of a look, which changes nothing."""
    before = snapshot(home)
    assert main(["--home", str(home), *options]) == code
    assert snapshot(home) == before
    lines = capsys.readouterr().out.splitlines()
    return [line.split(". ", 1)[1] for line in lines if line.lstrip()[:1].isdigit()]


def repair(home: Path, capsys: pytest.CaptureFixture[str], *options: str, code: int = 0) -> str:
    assert main(["--home", str(home), "--repair", *options]) == code
    return capsys.readouterr().out


def test_a_good_folder_agrees(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert findings(home, capsys, "--deep", code=0) == []
    assert "Looked at 3 jobs" in repair(home, capsys, "--deep")
    assert not (home / "lost+found").exists()


def test_a_take_that_is_gone_is_taken_out_and_the_last_one_makes_the_job_retryable(
    home: Path, jobs: dict[str, Job], capsys: pytest.CaptureFixture[str]
) -> None:
    render = jobs["text_to_video"]
    (render.folder / "work" / "take_7.mp4").unlink()
    (said,) = findings(home, capsys)
    assert said == f"The job “a fox” ({render.id[:8]}): its file “take_7.mp4” is gone."
    assert "The result is listed without it." in repair(home, capsys)
    left = job_of(home, render).result
    assert left is not None
    assert [(file.path.name, file.seed) for file in left.files] == [("take_8.mp4", 8), ("take_8.webp", 8)]
    assert findings(home, capsys, "--deep", code=0) == []
    shutil.rmtree(render.folder)
    assert len(findings(home, capsys)) == 1
    assert "marked as interrupted. Retry the job to render it again." in repair(home, capsys)
    gone = job_of(home, render)
    assert (gone.status, gone.result) == ("interrupted", None)
    with JobQueue(home, worker="inline") as queue:
        queue.retry(render.id)
        assert wait_for_end(queue, render).status == "done"


def test_an_imported_file_that_is_gone_asks_for_another_import(
    home: Path, jobs: dict[str, Job], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (jobs["imported"].folder / "inputs" / "video" / "beach.mp4").unlink()
    assert "Import it again." in repair(home, capsys)
    queue = JobQueue(home, worker="inline")
    again = queue.imports.add(clip(tmp_path / "beach.mp4", 0.5), "local")
    assert again.kind == "new"
    assert [job.id for job in queue.list(task="imported")] == [again.job.id]
    queue.stop()


def test_a_still_that_is_gone_is_drawn_again(
    home: Path, jobs: dict[str, Job], capsys: pytest.CaptureFixture[str]
) -> None:
    still = jobs["text_to_video"].folder / "work" / "take_8.webp"
    still.unlink()
    (said,) = findings(home, capsys)
    assert "its still “take_8.webp” is gone" in said
    assert "made again from the video" in repair(home, capsys)
    assert still.read_bytes()[8:12] == b"WEBP"
    assert findings(home, capsys, "--deep", code=0) == []


def test_a_cut_file_is_found_by_its_size_and_a_changed_one_by_its_digest(
    home: Path, jobs: dict[str, Job], capsys: pytest.CaptureFixture[str]
) -> None:
    work = jobs["text_to_video"].folder / "work"
    cut, changed = work / "take_7.mp4", work / "take_8.mp4"
    whole = cut.stat().st_size
    os.truncate(cut, 500)
    changed.write_bytes(bytes(reversed(changed.read_bytes())))
    (said,) = findings(home, capsys)
    assert f"“take_7.mp4” has 500 bytes; it had {whole:,} bytes when it was finished" in said
    assert len(findings(home, capsys, "--deep")) == 2
    told = repair(home, capsys, "--deep")
    assert "The result is listed without it." in told
    assert "marked as interrupted" in told
    kept = sorted(path.name for path in (home / "lost+found").rglob("*") if path.is_file())
    assert kept == ["take_7.mp4", "take_8.mp4"]


def test_a_render_that_the_list_lost_comes_back_whole(
    home: Path, jobs: dict[str, Job], capsys: pytest.CaptureFixture[str]
) -> None:
    for task in ("text_to_video", "imported"):
        change(home, f"DELETE FROM jobs WHERE id = '{jobs[task].id}'")
    said = findings(home, capsys)
    assert sorted(one.split(" is not")[0] for one in said) == ["A finished render", "An imported file"]
    assert repair(home, capsys).count("It is in the gallery again.") == 2
    for task in ("text_to_video", "imported"):
        before, after = jobs[task], job_of(home, jobs[task])
        assert (after.status, after.fields, after.created) == ("done", before.fields, before.created)
        assert before.result is not None
        assert after.result is not None
        videos = [[(file.path, file.seed) for file in one.files if file.kind == "video"] for one in
                  (before.result, after.result)]  # fmt: skip
        assert videos[0] == videos[1]
    queue = JobQueue(home, worker="inline")
    assert queue.imports.add(jobs["imported"].folder / "inputs/video/beach.mp4", "local").kind == "known"
    queue.stop()
    assert findings(home, capsys, "--deep", code=0) == []


def test_without_its_job_file_a_render_comes_back_from_the_request_inside_it(
    home: Path, jobs: dict[str, Job], capsys: pytest.CaptureFixture[str]
) -> None:
    render = jobs["text_to_video"]
    change(home, f"DELETE FROM jobs WHERE id = '{render.id}'")
    (render.folder / "job.json").unlink()
    assert "It belongs to “ada” now." in repair(home, capsys, "--owner", "ada")
    queue = JobQueue(home, worker="inline")
    (back,) = queue.list("ada")
    queue.stop()
    assert (back.id, back.status, back.fields["prompt"], back.fields["seed"]) == (render.id, "done", "a fox", 7)
    assert json.loads((render.folder / "job.json").read_text())["owner"] == "ada"


def test_without_its_job_file_a_render_of_footage_finds_its_input_again(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TASKS, "super_resolution", "tests.studio.doubling")
    with JobQueue(home, worker="inline") as queue:
        submitted = queue.submit("super_resolution", {"video": str(clip(tmp_path / "sea.mp4", 0.5))})
        larger = wait_for_end(queue, submitted)
    assert larger.status == "done"
    change(home, f"DELETE FROM jobs WHERE id = '{larger.id}'")
    (larger.folder / "job.json").unlink()
    assert "It is in the gallery again." in repair(home, capsys)
    back = job_of(home, larger)
    assert (back.status, back.fields["video"]) == ("done", str(larger.folder / "inputs/video/sea.mp4"))
    assert back.inputs["video"][0]["sha256"] == larger.inputs["video"][0]["sha256"]
    assert findings(home, capsys, "--deep", code=0) == []


def test_an_unfinished_job_comes_back_to_be_retried(
    home: Path, jobs: dict[str, Job], capsys: pytest.CaptureFixture[str]
) -> None:
    render = jobs["text_to_video"]
    change(home, f"DELETE FROM jobs WHERE id = '{render.id}'")
    (render.folder / "work" / "take_8.mp4").unlink()
    (said,) = findings(home, capsys)
    assert said.startswith("An unfinished job is not in the list: “a fox”")
    assert "can be retried" in repair(home, capsys)
    assert job_of(home, render).status == "interrupted"


def test_rubbish_and_parts_are_set_aside_and_not_deleted(
    home: Path, jobs: dict[str, Job], capsys: pytest.CaptureFixture[str]
) -> None:
    rubbish = home / "jobs" / "holiday pictures"
    rubbish.mkdir()
    (rubbish / "notes.txt").write_text("keep me")
    parts = [jobs["text_to_video"].folder / "work" / "take_9.mp4.part", home / "uploads" / "x" / "a.mp4.part",
             home / "backups" / "library.part"]  # fmt: skip
    for part in parts:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(b"half")
    said = findings(home, capsys)
    assert len(said) == 4
    assert any("holiday pictures” is no job" in one for one in said)
    assert sum("was never finished" in one for one in said) == 3
    repair(home, capsys)
    kept = {path.name: path.read_bytes() for path in (home / "lost+found").rglob("*") if path.is_file()}
    assert kept == {"notes.txt": b"keep me", **{part.name: b"half" for part in parts}}
    assert findings(home, capsys, code=0) == []


def test_a_job_that_runs_nowhere_goes_on(home: Path, jobs: dict[str, Job], capsys: pytest.CaptureFixture[str]) -> None:
    failed = jobs["fake"]
    change(home, f"UPDATE jobs SET status = 'running', worker = 'dead', error = NULL WHERE id = '{failed.id}'")
    (said,) = findings(home, capsys)
    assert "is marked as running, but no studio is." in said
    assert "goes on when the studio is started" in repair(home, capsys)
    assert job_of(home, failed).status == "queued"


def test_an_input_that_is_gone_or_changed_is_said_and_cannot_be_mended(
    home: Path, jobs: dict[str, Job], capsys: pytest.CaptureFixture[str]
) -> None:
    copy = jobs["fake"].folder / "inputs" / "video" / "holiday.mp4"
    copy.write_bytes(copy.read_bytes() + b"more")
    assert findings(home, capsys, code=0) == []
    (said,) = findings(home, capsys, "--deep")
    assert "its input “holiday.mp4” holds other bytes" in said
    copy.unlink()
    (said,) = findings(home, capsys)
    assert "cannot be rendered any more" in said
    assert "1 of 1 could not be mended." in repair(home, capsys, code=1)


def test_a_job_file_that_is_gone_is_written_again(
    home: Path, jobs: dict[str, Job], capsys: pytest.CaptureFixture[str]
) -> None:
    file = jobs["text_to_video"].folder / "job.json"
    before = json.loads(file.read_text())
    file.write_text("{")
    (said,) = findings(home, capsys)
    assert "no readable job.json" in said
    assert "It was written again." in repair(home, capsys)
    assert json.loads(file.read_text()) == before


def test_what_was_being_removed_is_removed(
    home: Path, jobs: dict[str, Job], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = jobs["fake"].folder
    folder.rename(folder.with_name(f"{folder.name}.removed"))
    change(home, f"DELETE FROM jobs WHERE id = '{folder.name}'")
    (said,) = findings(home, capsys)
    assert "was being removed when the studio ended" in said
    repair(home, capsys)
    assert not folder.with_name(f"{folder.name}.removed").exists()


def test_a_lost_list_is_filled_again(home: Path, jobs: dict[str, Job], capsys: pytest.CaptureFixture[str]) -> None:
    for copy in backups(database_path(home)):
        copy.unlink()
    for file in home.glob("library.sqlite3*"):
        file.unlink()
    assert main(["--home", str(home)]) == 1
    assert "was gone" in capsys.readouterr().out
    assert "was gone" in repair(home, capsys)
    statuses = {job.task: job.status for job in listed(home)}
    assert statuses == {"text_to_video": "done", "imported": "done", "fake": "interrupted"}


def test_a_running_studio_is_looked_at_and_never_repaired(
    home: Path, jobs: dict[str, Job], capsys: pytest.CaptureFixture[str]
) -> None:
    with JobQueue(home, worker="inline"):
        work = jobs["text_to_video"].folder / "work"
        (work / "now.mp4.part").write_bytes(b"half")
        (work / "then.mp4.part").write_bytes(b"half")
        long_ago = time.time() - SETTLED_SECONDS - 60
        os.utime(work / "then.mp4.part", (long_ago, long_ago))
        assert main(["--home", str(home)]) == 1
        told = capsys.readouterr().out
        assert "A studio is using this folder" in told
        assert "then.mp4.part" in told
        assert "now.mp4.part" not in told
        assert main(["--home", str(home), "--repair"]) == 2
        assert "Close the other studio" in capsys.readouterr().err
        assert (work / "then.mp4.part").exists()


def test_a_folder_that_is_no_studio_s_is_left_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "studio.reconcile", "--home", str(tmp_path / "typo")]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 2
    assert "is no studio's folder" in finished.stderr
    assert not (tmp_path / "typo").exists()
