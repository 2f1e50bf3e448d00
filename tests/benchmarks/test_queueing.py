"""The instruments of benchmarks.jobs: a kill hits what it aims at; what was lost, done twice or again is counted."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import benchmarks.queueing.killing
from benchmarks.jobs import FULL, QUICK
from benchmarks.queueing.campaign import Plan, Record
from benchmarks.queueing.figures import estimates, leak, lost_and_duplicated, work
from benchmarks.queueing.killing import Kill, Killer
from benchmarks.queueing.observer import Moment, Observer
from benchmarks.queueing.requests import FPS, SHAPES, Wanted
from benchmarks.shared.versions import PROJECT_ROOT
from engines.context import Progress
from engines.footage.rendering import CHUNK_FRAMES
from engines.media.clip import Clip
from engines.media.digest import frames_digest
from engines.media.reader import ClipReader
from engines.media.writer import write_clip
from engines.task import OutputFile, Result
from studio.home import database_path, job_folder, prepare_home
from studio.jobs.database import Database
from studio.jobs.dispatch import Dispatch, Needed
from studio.jobs.failure import worker_died
from studio.jobs.store import JobStore, new_job_id
from tests.engines.media.synthesis import numbered_frames

FRAMES = 100  # three chunks
WORKER = "worker"


@dataclass
class Library:
    """A studio's folder with real jobs in it and notes about them: what the figures ask a campaign for."""

    folder: Path
    record: Record = field(default_factory=Record)
    plan: Plan = field(default_factory=lambda: Plan(0, 0, ()))

    def __post_init__(self) -> None:
        self.home = prepare_home(self.folder / "home")
        self.database = Database(database_path(self.home))
        self.store, self.dispatch = JobStore(self.database, self.home), Dispatch(self.database)
        self.clip = self.folder / "wanted.mp4"
        write_clip(self.clip, Clip(numbered_frames(12), Fraction(FPS)))
        self.wanted = Wanted(self.clip, "x8", FRAMES, frames_digest(ClipReader(self.clip)))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.database.rows(query, {})]

    def begin(self) -> str:
        """A job that runs."""
        job = self.add()
        self.plan = Plan(self.plan.jobs + 1, 0, ())
        self.record.wanted[job], self.record.lengths[job] = self.wanted, FRAMES
        assert self.dispatch.take_next(WORKER) is not None
        return job

    def add(self) -> str:
        job = new_job_id()
        about = {"id": job, "owner": "local", "task": "interpolation", "created": time.time()}
        self.store.add({**about, "fields": {}, "inputs": {}}, None, 0)
        return job

    def finish(self, job: str, frames: int = 12, chunks_kept: int = 0) -> Path:
        """Returns: the video."""
        path = job_folder(self.home, job) / "work" / "interpolated.mp4"
        write_clip(path, Clip(numbered_frames(frames), Fraction(FPS)))
        result = Result(files=[OutputFile(path=path, kind="video")], measurements={"chunks_kept": float(chunks_kept)})
        self.dispatch.finish(job, WORKER, job_folder(self.home, job), result, Needed({"rendering": 1.0}, None, None))
        return path

    def killed(self, job: str, finished: int, saved: int, kind: str = "random") -> None:
        """The worker died, and the next one took the job."""
        self.record.kills.append(Kill(kind, Moment(job, "rendering", finished, saved)))
        self.dispatch.release_running(worker_died(-9), is_crash=True)
        assert self.dispatch.take_next(WORKER) is not None


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def test_every_request_has_at_least_six_chunks() -> None:
    assert all(-(-frames * int(rate[1:]) // CHUNK_FRAMES) >= 6 for _, _, frames, rate in SHAPES)
    assert len({(height * width, frames * int(rate[1:])) for height, width, frames, rate in SHAPES}) >= 8


def test_the_full_run_kills_as_often_as_the_issue_asks() -> None:
    web = [kind for kind in FULL.kills if kind.startswith("web")]
    assert (FULL.jobs, len(web), len(FULL.kills) - len(web)) == (200, 3, 10)
    assert (FULL.kills.count("encoding"), FULL.kills.count("database")) == (2, 2)
    assert len([kind for kind in QUICK.kills if not kind.startswith("web")]) == 2


def test_undisturbed_jobs_are_neither_lost_nor_there_twice(library: Library) -> None:
    for _ in range(2):
        library.finish(library.begin())
    assert lost_and_duplicated(library) == {"lost": 0.0, "duplicated": 0.0}


@pytest.mark.parametrize("damage", ["gone", "torn", "shorter", "unfinished"])
def test_a_job_without_its_whole_result_is_lost(library: Library, damage: str) -> None:
    library.finish(library.begin())
    job = library.begin()
    if damage != "unfinished":
        path = library.finish(job, frames=11 if damage == "shorter" else 12)
        if damage == "gone":
            path.unlink()
        elif damage == "torn":
            os.truncate(path, path.stat().st_size // 2)
    assert lost_and_duplicated(library) == {"lost": 1.0, "duplicated": 0.0}


def test_a_job_that_nobody_asked_for_is_seen_beside_one_that_was_lost(library: Library) -> None:
    library.finish(library.begin())
    lost = library.begin()
    library.database.execute("DELETE FROM jobs WHERE id = :id", {"id": lost})
    library.add()
    assert lost_and_duplicated(library) == {"lost": 1.0, "duplicated": 1.0}


def test_a_job_that_ended_twice_is_counted(library: Library) -> None:
    job = library.begin()
    library.finish(job)
    library.database.execute("UPDATE jobs SET status = 'queued' WHERE id = :id", {"id": job})
    assert library.dispatch.take_next(WORKER) is not None
    library.finish(job)
    assert lost_and_duplicated(library) == {"lost": 0.0, "duplicated": 1.0}


def test_what_was_finished_and_not_kept_is_work_done_again(library: Library) -> None:
    job = library.begin()
    library.killed(job, finished=70, saved=48)
    library.finish(job, chunks_kept=1)
    measured = work(library)
    assert measured["work_redone"] == pytest.approx(22 / 70)
    assert (measured["frames_rendered_again"], measured["worker_kills"]) == (22.0, 1.0)


def test_chunks_that_lie_on_the_disk_but_were_not_taken_up_are_work_done_again(library: Library) -> None:
    job = library.begin()
    library.killed(job, finished=70, saved=48)
    library.finish(job, chunks_kept=0)
    assert work(library)["work_redone"] == 1.0


def test_two_kills_of_one_job_both_count(library: Library) -> None:
    job = library.begin()
    library.killed(job, finished=60, saved=48)
    library.killed(job, finished=FRAMES, saved=96, kind="encoding")
    library.finish(job, chunks_kept=3)
    assert work(library)["work_redone"] == pytest.approx(12 / 160)


def test_only_undisturbed_jobs_judge_the_estimates(library: Library) -> None:
    jobs = [library.begin()]
    library.killed(jobs[0], finished=10, saved=0)
    library.finish(jobs[0])
    for _ in range(3):
        jobs.append(library.begin())
        library.finish(jobs[-1])
    for job, seconds in zip(jobs, (8.0, 10.0, 10.0, 10.0), strict=True):
        values = {"id": job, "seconds": seconds}
        library.database.execute("UPDATE jobs SET started = 100, finished = 100 + :seconds WHERE id = :id", values)
    library.record.estimates = dict(zip(jobs, (1000.0, 9.0, 12.0, 25.0), strict=True))
    measured = estimates(library)
    assert (measured["estimates_judged"], measured["seconds_per_job"]) == (3.0, 10.0)
    assert measured["estimate_error_median"] == pytest.approx(0.2)
    assert measured["estimate_error_worst"] == pytest.approx(1.5)


def test_growth_is_told_from_a_warm_up_and_from_one_large_job() -> None:
    mega = 2**20
    steady = [100 * mega, 300 * mega] + [400 * mega] * 30
    assert leak([[9 * mega], steady]) == 0.0
    leaking = [*steady[:2], *((400 + 3 * job) * mega for job in range(30))]
    assert leak([leaking]) == pytest.approx(60)
    large = list(steady)
    large[-9] *= 3
    assert leak([large]) == 0.0
    with pytest.raises(RuntimeError, match="nothing can be said"):
        leak([steady[:5]])


# Before and after each write it says in a file where it is: a kill outside of a write is seen there.
WRITER = """
import os, sqlite3, sys, time
library = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
place = os.open(sys.argv[1] + ".place", os.O_WRONLY | os.O_CREAT)
number = 0
print("ready", flush=True)
while True:
    os.pwrite(place, b"in ", 0)
    library.execute("BEGIN IMMEDIATE")
    library.execute("INSERT INTO pairs VALUES (?)", (number,))
    time.sleep(float(sys.argv[2]))
    library.execute("INSERT INTO pairs VALUES (?)", (number,))
    library.execute("COMMIT")
    os.pwrite(place, b"out", 0)
    number += 1
    time.sleep(0.02)
"""


@pytest.fixture
def pairs(library: Library) -> Path:
    library.database.execute("CREATE TABLE pairs (number INTEGER)", {})
    return database_path(library.home)


def start_writer(path: Path, pause: float) -> subprocess.Popen[bytes]:
    """A process that writes both of a pair, or none."""
    command = [sys.executable, "-c", WRITER, str(path), str(pause)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=PROJECT_ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


@dataclass
class OneWorker:
    """Of a studio only what a kill of its worker asks for."""

    process: psutil.Process

    def worker(self) -> psutil.Process:
        return self.process


def test_a_kill_in_a_database_write_hits_it_and_leaves_all_of_a_write_or_nothing(
    library: Library, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmarks.queueing.killing, "LONGEST_WAIT_SECONDS", 0.1)
    job = library.begin()
    library.dispatch.report(job, WORKER, Progress("rendering", 30, FRAMES), None, 0)
    observer = Observer(library.home, CHUNK_FRAMES)
    writer = start_writer(pairs, 0.001)
    try:
        studio = OneWorker(psutil.Process(writer.pid))
        killer = Killer(studio, observer, library.record.lengths, lambda: None, np.random.default_rng(4))
        kill = killer.worker("database")
        assert writer.wait(10) == -9
        assert kill == Kill("database", Moment(job, "rendering", 30, 0))
        assert Path(f"{pairs}.place").read_bytes() == b"in "
        assert observer.writing_process() is None
        assert library.rows("SELECT count(*) % 2 FROM pairs") == [(0,)]
        assert library.rows("PRAGMA quick_check") == [("ok",)]
    finally:
        writer.kill()
        observer.close()


def test_the_process_inside_a_write_is_named_and_a_reader_is_not(library: Library, pairs: Path) -> None:
    observer = Observer(library.home, CHUNK_FRAMES)
    reader = sqlite3.connect(pairs, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM pairs").fetchall()
    assert observer.writing_process() is None
    writer = start_writer(pairs, 30)
    try:
        until = time.monotonic() + 10
        while observer.writing_process() is None:
            assert time.monotonic() < until
        assert observer.writing_process() == writer.pid
    finally:
        writer.kill()
        writer.wait()
        reader.close()
        observer.close()


def test_a_moment_says_what_was_rendered_and_what_lies_in_whole_chunks(library: Library) -> None:
    observer = Observer(library.home, CHUNK_FRAMES)
    assert observer.running({}) is None
    job = library.begin()
    segments = job_folder(library.home, job) / "work" / "segments"
    segments.mkdir(parents=True)
    for number in range(2):
        (segments / f"{number:05d}.json").write_text("{}", encoding="utf-8")
    library.dispatch.report(job, WORKER, Progress("rendering", 99, FRAMES), None, 0)
    assert observer.running({job: FRAMES}) == Moment(job, "rendering", 99, 96)
    assert not observer.is_encoding(job)
    (segments.parent / "interpolated.mp4.part").touch()
    assert observer.is_encoding(job)
    (segments / "00002.json").write_text("{}", encoding="utf-8")
    library.dispatch.report(job, WORKER, Progress("joining", 0, 1), None, 0)
    assert observer.running({job: FRAMES}) == Moment(job, "joining", FRAMES, FRAMES)
    observer.close()
