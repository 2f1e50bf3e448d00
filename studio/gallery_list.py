"""Which finished renders a person wants to see, a page at a time. Draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.gallery_settings import settings_behind
from studio.jobs.job import prompt_of
from studio.jobs.queue import JobQueue
from studio.stage import videos_of

if TYPE_CHECKING:
    from engines.task import OutputFile
    from studio.jobs.job import Job

VIEWS = (("All", "all"), ("Favourites", "favourites"), ("Trash", "trash"))
PAGE_RENDERS = 24
# Far more than one person renders; reading as many takes about two seconds.
MOST_RENDERS = 20_000


@dataclass(frozen=True)
class Wanted:
    """What the filters say.

    Attributes:
        task: A task's name, IMPORTED for files that were brought, "" for everything.
        view: "all", "favourites" or "trash".
        words: Each has to be part of the prompt or of a file's name.
    """

    task: str = ""
    view: str = "all"
    words: str = ""


def playable_takes(job: Job) -> list[OutputFile]:
    """The videos of a finished job whose files are still there; [] if it is not done."""
    return [video for video in videos_of(job) if video.path.exists()] if job.status == "done" else []


def finished_renders(queue: JobQueue, owner: str, wanted: Wanted) -> list[Job]:
    """The owner's finished renders and imported files that match, the newest first.

    Raises: InvalidRequest for an unknown task.
    """
    words = wanted.words.casefold().split()
    jobs = queue.list(owner, wanted.task or None, MOST_RENDERS, wanted.view == "trash", with_imports=True)
    return [
        job
        for job in jobs
        if (job.favourite or wanted.view != "favourites")
        and all(word in _searched_text(job) for word in words)
        and playable_takes(job)
    ]


def _searched_text(job: Job) -> str:
    brought = [str(file.get("name", "")) for files in job.inputs.values() for file in files]
    made = [video.path.name for video in videos_of(job)]
    settings = settings_behind(job)
    return " ".join([prompt_of(settings.fields) if settings else "", *brought, *made]).casefold()


def last_page(renders: int) -> int:
    """The number of the last page, counted from 0."""
    return max(0, (renders - 1) // PAGE_RENDERS)


def of_page(jobs: Sequence[Job], page: int) -> Sequence[Job]:
    """The renders of one page; the last one if there are fewer pages."""
    begin = min(max(0, page), last_page(len(jobs))) * PAGE_RENDERS
    return jobs[begin : begin + PAGE_RENDERS]
