"""The queue as rows to look at: what a job is, where it stands, and what may be done with it now. No gradio here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from studio.error_messages import stored_error_sentence
from studio.jobs.job import PRIORITIES, RETRYABLE, Event, Job
from studio.smaller import smaller_fields
from studio.stage_html import PHASES, about, clock, title_of

TITLE_CHARACTERS = 70
# Every button: what it does → its words.
ACTIONS = {
    "pause": "Pause", "resume": "Resume", "first": "Next", "up": "Up", "down": "Down", "retry": "Retry",
    "smaller": "Retry smaller", "cancel": "Cancel", "dismiss": "Dismiss",
}  # fmt: skip
EVENT_WORDS = {
    "submitted": "Submitted", "started": "Started", "chunk": "Chunk finished", "queued": "Queued again",
    "paused": "Paused", "done": "Done", "failed": "Failed", "cancelled": "Cancelled", "interrupted": "Interrupted",
}  # fmt: skip


class Button(TypedDict):
    """One thing that may be done. `id` is the job's: the page's templates know no outer loop."""

    id: str
    name: str
    label: str
    hint: str


class Choice(TypedDict):
    """One entry of the menu of priorities."""

    name: str
    selected: bool


class Line(TypedDict):
    """One event of a job's history."""

    at: str
    words: str


class Row(TypedDict):
    """One job. `percent` counts only while `has_bar`; `events` and `log` are filled while it is `opened`."""

    id: str
    title: str
    room: str
    state: str
    words: str
    error: str
    percent: int
    has_bar: bool
    buttons: list[Button]
    priorities: list[Choice]
    opened: bool
    events: list[Line]
    log: str


def actions_of(job: Job, place: int, waiting: int) -> list[str]:
    """Names of what may be done, in the order of the buttons.

    Args:
        place: Its place among the owner's waiting jobs, 0 for the next one; of no account unless it waits.
        waiting: How many wait.
    """
    if job.status in RETRYABLE:
        return ["retry", *(["smaller"] if smaller_fields(job) is not None else []), "dismiss"]
    if job.status == "running":
        return ["resume" if job.pausing else "pause", "cancel"]
    if job.is_over:
        return []
    moves = [*(["first", "up"] if place > 0 else []), *(["down"] if place < waiting - 1 else [])]
    return ["resume" if job.status == "paused" else "pause", *moves, "cancel"]


def state_words(job: Job, estimate: float | None = None) -> str:
    """Where the job stands, in one line."""
    if job.status == "running":
        phase = PHASES.get(job.phase, job.phase.capitalize()) or "Starting"
        steps = f"{phase}, {job.step} of {job.total}" if job.total > 1 else phase
        left = f"{clock(job.seconds_left)} left" if job.seconds_left is not None else ""
        pausing = "pauses at the end of this chunk" if job.pausing else ""
        return " · ".join(part for part in (steps, left, pausing) if part)
    if job.status == "queued":
        ahead = (job.position or 1) - 1
        turn = "Next" if ahead == 0 else f"Waiting, {ahead} before it"
        return turn if estimate is None else f"{turn} · {about(estimate)}"
    if job.status == "paused":
        return f"Paused at {job.step} of {job.total}" if job.total > 1 and job.step else "Paused"
    return EVENT_WORDS[job.status]


def row_of(
    job: Job, room: str, place: int, waiting: int, estimate: float | None = None,
    history: tuple[Sequence[Event], str] | None = None,
) -> Row:  # fmt: skip
    """One job as the page shows it.

    Args:
        room: Title of its task's tab.
        place, waiting: As in `actions_of`.
        estimate: Seconds that it will take, None if that is not known.
        history: Events and the end of the log, None while they are folded.
    """
    title = title_of(job)[:TITLE_CHARACTERS]
    buttons = [
        Button(id=job.id, name=name, label=ACTIONS[name], hint=f"{ACTIONS[name]}: {title}")
        for name in actions_of(job, place, waiting)
    ]
    waits = job.status in ("queued", "paused")
    chosen = next(name for name, number in PRIORITIES.items() if number == job.priority)
    events, log = history or ((), "")
    return Row(
        id=job.id, title=title, room=room, state=job.status, words=state_words(job, estimate),
        error=" ".join(stored_error_sentence(job.error)).strip() if job.status in ("failed", "interrupted") else "",
        percent=round(100 * job.step / job.total) if job.total else 0,
        has_bar=job.status in ("running", "paused") and job.total > 0,
        buttons=buttons,
        priorities=[Choice(name=name, selected=name == chosen) for name in PRIORITIES] if waits else [],
        opened=history is not None, events=[_line(event) for event in events], log=log,
    )  # fmt: skip


def _line(event: Event) -> Line:
    at = datetime.fromisoformat(event.at).astimezone()
    said = EVENT_WORDS.get(event.kind, event.kind)
    return Line(at=f"{at:%H:%M:%S}", words=f"{said}. {event.detail}".strip() if event.detail else said)


def latest_news(jobs: Sequence[Job]) -> Mapping[str, str]:
    """When and how the job ended that ended last: what the browser tells a person who looks elsewhere."""
    ended = [job for job in jobs if job.is_over and job.finished]
    if not ended:
        return {"at": "", "status": "", "title": ""}
    last = max(ended, key=lambda job: job.finished or "")
    return {"at": last.finished or "", "status": last.status, "title": title_of(last)[:TITLE_CHARACTERS]}
