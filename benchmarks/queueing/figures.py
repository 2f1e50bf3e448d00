"""From what happened to the numbers of the summary."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks.queueing.campaign import LEARNING_JOBS, Campaign
from engines.errors import UserError
from engines.footage.rendering import CHUNK_FRAMES
from engines.media.digest import frames_digest
from engines.media.reader import ClipReader

LEAK_JOBS = 20
# Jobs of a worker that are not counted: it loads its model and fills its caches.
WARM_UP_JOBS = 2
WINDOW = 3


def figures(campaign: Campaign) -> dict[str, float]:
    """Every number of the summary."""
    return {
        "jobs": float(campaign.plan.jobs),
        **lost_and_duplicated(campaign),
        **work(campaign),
        "leak_mb_over_20_jobs": leak(list(campaign.record.memory.values())),
        **estimates(campaign),
    }


def lost_and_duplicated(campaign: Campaign) -> dict[str, float]:
    """Jobs without the result of an undisturbed run, and jobs or results that are there twice."""
    stored = {job: (status, result) for job, status, result in campaign.rows("SELECT id, status, result FROM jobs")}
    wanted = campaign.record.wanted
    right = [job for job in wanted if job in stored and _is_right(campaign, job, *stored[job])]
    twice = Counter(job for (job,) in campaign.rows("SELECT job_id FROM events WHERE kind = 'done'"))
    return {
        "lost": float(campaign.plan.jobs - len(set(right))),
        # By name: as a difference of counts, a job that is missing would hide one that is there twice.
        "duplicated": float(len(stored.keys() - wanted.keys()) + sum(count - 1 for count in twice.values())),
    }


def _is_right(campaign: Campaign, job: str, status: str, result: str | None) -> bool:
    videos = [file for file in json.loads(result or '{"files": []}')["files"] if file["kind"] == "video"]
    if status != "done" or len(videos) != 1:
        return False
    path = campaign.home / "jobs" / job / videos[0]["path"]
    try:
        return frames_digest(ClipReader(path)) == campaign.record.wanted[job].digest
    except UserError:
        return False


def work(campaign: Campaign) -> dict[str, float]:
    """What the killed jobs had finished when they were killed, and what of it was rendered again.

    The last run of a job says itself how many chunks it found; of earlier ones what lay on the disk then counts.
    """
    kept = _chunks_kept(campaign)
    killed = [kill.moment for kill in campaign.record.kills if kill.moment is not None]
    finished, repeated = 0, 0
    for index, moment in enumerate(killed):
        is_last = all(later.job_id != moment.job_id for later in killed[index + 1 :])
        found = kept.get(moment.job_id, 0) if is_last else moment.saved
        finished += moment.finished
        repeated += max(0, moment.finished - found)
    hit = Counter(kill.kind for kill in campaign.record.kills)
    return {
        "work_redone": repeated / max(1, finished),
        "work_redone_without_chunks": 1.0,
        "frames_finished_when_killed": float(finished),
        "frames_rendered_again": float(repeated),
        "worker_kills": float(hit["random"] + hit["encoding"] + hit["database"]),
        "worker_kills_while_encoding": float(hit["encoding"]),
        "worker_kills_while_writing_the_database": float(hit["database"]),
        "web_kills": float(hit["web"] + hit["web, submitting"]),
    }


def _chunks_kept(campaign: Campaign) -> dict[str, int]:
    """Job → frames that its last run found finished."""
    found = {}
    for job, result in campaign.rows("SELECT id, result FROM jobs WHERE result IS NOT NULL"):
        chunks = int(json.loads(result)["measurements"]["chunks_kept"])
        if job in campaign.record.wanted:
            found[job] = min(chunks * CHUNK_FRAMES, campaign.record.wanted[job].frames)
    return found


def leak(workers: Sequence[Sequence[int]]) -> float:
    """MB that the longest-lived worker grew by over 20 jobs, after its first; medians of three at both ends."""
    longest = max(workers, key=len)
    steady = longest[WARM_UP_JOBS : WARM_UP_JOBS + LEAK_JOBS + WINDOW]
    if len(steady) <= WINDOW:
        raise RuntimeError(f"no worker lived for more than {len(longest)} jobs: nothing can be said of its memory")
    grown = median(steady[-WINDOW:]) - median(steady[:WINDOW])
    return float(grown) / 2**20 * LEAK_JOBS / (len(steady) - WINDOW)


def estimates(campaign: Campaign) -> dict[str, float]:
    """|promised − taken| / taken of the jobs that ran undisturbed, promised when they were submitted."""
    times = campaign.rows("SELECT id, finished - started FROM jobs WHERE status = 'done' AND attempt = 1")
    taken = dict(times)
    errors = sorted(
        abs(told - taken[job]) / taken[job] for job, told in campaign.record.estimates.items() if job in taken
    )
    return {
        "estimate_error_median": median(errors),
        "estimate_error_worst": errors[-1],
        "estimates_judged": float(len(errors)),
        "estimates_after_jobs": float(LEARNING_JOBS),
        "seconds_per_job": median(taken.values()),
    }


def kill_rows(campaign: Campaign) -> list[dict[str, Any]]:
    """What was killed and where its job stood."""
    return [{"kind": kill.kind, **({} if kill.moment is None else vars(kill.moment))} for kill in campaign.record.kills]
