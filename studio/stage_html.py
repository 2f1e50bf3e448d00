"""What the stage says in each state of a job, as HTML. Pure functions: everything from outside is escaped here."""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from studio.error_messages import stored_error_sentence
from studio.jobs.job import prompt_of

if TYPE_CHECKING:
    from studio.jobs.job import Job

PHASES = {
    "loading": "Loading the model",
    "encoding": "Reading the prompt",
    "selecting": "Following the thing through the clip",
    "inverting": "Looking for the noise behind the clip",
    "denoising": "Drawing",
    "checking": "Measuring the inversion",
    "decoding": "Developing the frames",
    "analysing": "Looking at the video",
    "rendering": "Rendering the frames",
    "joining": "Joining the chunks",
    "writing": "Writing the file",
}
UNFINISHED = ("queued", "running", "paused")
LOG_CHARACTERS = 6000

FRAME_MOTIF = (
    '<svg class="motif" viewBox="0 0 120 84" aria-hidden="true" focusable="false">'
    '<rect x="2" y="2" width="116" height="80" rx="7" fill="none" stroke="currentColor" stroke-width="2"/>'
    '<rect x="22" y="10" width="76" height="64" rx="3" fill="none" stroke="currentColor" stroke-width="2"/>'
    + "".join(
        f'<rect x="{x}" y="{y}" width="8" height="7" rx="2" fill="currentColor"/>'
        for x in (8, 104)
        for y in (9, 23, 38, 53, 68)
    )
    + '<path class="motif-mark" d="M53 30 L53 54 L73 42 Z"/></svg>'
)


def clock(seconds: float) -> str:
    """0:21, 12:05, 1:02:03."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def about(seconds: float) -> str:
    """A duration as a person says it: "about 8 s", "about 3 min"."""
    return f"about {max(1, round(seconds))} s" if seconds < 100 else f"about {round(seconds / 60)} min"


def data_url(path: Path) -> str:
    """The preview picture itself, small enough to travel inside the page."""
    kind = mimetypes.guess_type(path.name)[0] or "image/webp"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _card(state: str, title: str, *paragraphs: str, extra: str = "", motif: bool = True) -> str:
    body = "".join(f"<p>{escape(text)}</p>" for text in paragraphs if text)
    return (
        f'<div class="screen-card" data-state="{state}">{FRAME_MOTIF if motif else ""}'
        f"<h2>{escape(title)}</h2>{body}{extra}</div>"
    )


def empty_screen(examples: Sequence[str]) -> str:
    """Before the first render: what to do, and examples that a click puts into the prompt."""
    buttons = "".join(
        f'<button type="button" class="example" data-prompt="{escape(text)}">{escape(text)}</button>'
        for text in examples
    )
    return _card(
        "empty",
        "Your video appears here",
        "Say what it shows, then press Render. Or begin with one of these:",
        extra=f'<div class="examples" role="group" aria-label="Example prompts">{buttons}</div>',
    )


def empty_footage_screen(verb: str) -> str:
    """Before the first render of a tab about somebody's own footage."""
    return _card("empty", "Before and after appear here", f"Choose a video or a picture, then press {verb}.")


def empty_picture_screen(verb: str) -> str:
    """Before the first render of a tab about somebody's own pictures."""
    return _card("empty", "Your video appears here", f"Choose a picture, say what happens in it, then press {verb}.")


def sentences(said: Sequence[str], class_name: str) -> str:
    """A list of sentences; "" if there are none."""
    listed = "".join(f"<li>{escape(sentence)}</li>" for sentence in said)
    return f'<ul class="{class_name}" role="status">{listed}</ul>' if listed else ""


def title_of(job: Job) -> str:
    """What a person calls a job: its words, or the name of the file that it is about."""
    return prompt_of(job.fields) or Path(str(job.fields.get("video") or "")).name


def screen(job: Job, examples: Sequence[str] = ()) -> str:
    """The stage's picture for a job; "" once a video stands there."""
    if job.status == "queued":
        ahead = job.position or 0
        waiting = "It starts next." if ahead <= 1 else f"{ahead - 1} before it in the queue."
        return _card("queued", "Waiting its turn", waiting)
    if job.status == "running":
        return _running_screen(job)
    if job.status == "paused":
        return _card("paused", "Paused", "It goes on where it stopped, when it is resumed.")
    if job.status == "failed":
        happened, todo = stored_error_sentence(job.error)
        return _card("failed", "This render failed", happened, todo, extra=_log(job), motif=False)
    if job.status == "cancelled":
        return _card("cancelled", "Cancelled", "Nothing more is computed for it. Retry starts it again as it was.")
    if job.status == "interrupted":
        happened, _ = stored_error_sentence(job.error) if job.error else ("The worker stopped in the middle of it.", "")
        return _card("interrupted", "Interrupted", happened, "The settings are kept. Retry renders it again.")
    return ""


def _running_screen(job: Job) -> str:
    if job.preview is not None and job.preview.exists():
        return (
            '<div class="screen-preview" data-state="running">'
            f'<img src="{data_url(job.preview)}" decoding="sync" alt="Preview of the video so far" '
            f'data-version="{job.preview_version}"></div>'
        )
    return _card("running", PHASES.get(job.phase, job.phase.capitalize()) or "Starting", job.message)


def _log(job: Job) -> str:
    if not job.log.is_file():
        return ""
    tail = job.log.read_text(encoding="utf-8", errors="replace")[-LOG_CHARACTERS:]
    return f"<details><summary>Log</summary><pre tabindex='0'>{escape(tail)}</pre></details>" if tail.strip() else ""


def progress_bar(job: Job | None) -> str:
    """The bar under the stage; driven by finished steps only. "" when nothing runs."""
    if job is None or job.status not in UNFINISHED:
        return ""
    if job.status == "queued":
        return _bar(0, 0, "In the queue", "")
    if job.status == "paused":
        return _bar(job.step, job.total, "Paused", "")
    words = [PHASES.get(job.phase, job.phase.capitalize()) or "Starting"]
    if job.total:
        words.append(f"step {job.step} of {job.total}")
    if job.message:
        words.append(job.message)
    left = f"{clock(job.seconds_left)} left" if job.seconds_left is not None else f"{clock(job.seconds_running or 0)}"
    return _bar(job.step or 0, job.total or 0, " · ".join(words), left)


def _bar(step: int, total: int, words: str, left: str) -> str:
    percent = 100 * step / total if total else 0
    state = "" if total else " waiting"
    return (
        f'<div class="progress"><div class="progress-track{state}" role="progressbar" aria-label="{escape(words)}" '
        f'aria-valuemin="0" aria-valuemax="{total or 1}" aria-valuenow="{step}">'
        f'<div class="progress-fill" style="width:{percent:.1f}%"></div></div>'
        f'<div class="progress-words"><span>{escape(words)}</span><span class="progress-left">{escape(left)}</span>'
        "</div></div>"
    )


def announcement(job: Job | None) -> str:
    """One sentence for screen readers; changes with the state and the phase, not with each step."""
    if job is None:
        return ""
    phase = PHASES.get(job.phase or "", "")
    words = {
        "queued": "The render waits in the queue.",
        "running": f"Rendering. {phase}.",
        "paused": "The render is paused.",
        "done": "The video is ready.",
        "failed": "The render failed. " + " ".join(stored_error_sentence(job.error)),
        "cancelled": "The render was cancelled.",
        "interrupted": "The render was interrupted.",
    }
    return f'<p role="status" aria-live="polite">{escape(words[job.status])}</p>'


def facts_line(job: Job) -> str:
    """Under a finished video: what it was made of and what it took."""
    facts = [*_request_facts(job), *_result_facts(job)]
    warnings = sentences(job.warnings or [], "job-warnings")
    return (
        f'<div class="facts"><p class="facts-prompt">{escape(title_of(job))}</p>'
        f"<p>{escape(' · '.join(facts))}</p>{warnings}</div>"
    )


def _request_facts(job: Job) -> list[str]:
    fields = job.fields
    if "frames" in fields:
        # A task without a size of its own says size and frames of what it made.
        made = [f"{fields['width']} × {fields['height']}", f"{fields['frames']} frames"] if "width" in fields else []
        steps = " ".join(str(part) for part in (fields.get("steps"), fields.get("solver"), "steps") if part)
        return [f"seed {fields.get('seed', 0)}", *made, steps]
    start, end = fields.get("start") or 0.0, fields.get("end")
    return [] if not start and end is None else [f"from {clock(start)}" + ("" if end is None else f" to {clock(end)}")]


def _result_facts(job: Job) -> list[str]:
    measured = job.result.measurements if job.result else {}
    facts = []
    if "width" in measured:
        finished = "finished: " if job.fields.get("finish") else ""
        facts.append(f"{finished}{measured['width']:.0f} × {measured['height']:.0f}")
        facts += [f"{measured['fps']:.4g} frames per second"] if "fps" in measured else []
        facts += [f"{measured['frames']:.0f} frames"] if "frames" in measured else []
    facts += inversion_report(measured)
    if "seconds" in measured:
        seconds = measured["seconds"]
        facts.append(f"rendered in {seconds:.0f} s" if seconds >= 10 else f"rendered in {seconds:.1f} s")
    return facts


def inversion_report(measured: Mapping[str, float]) -> list[str]:
    """How faithfully a clip was inverted: how near it comes to itself, and whether its noise is noise."""
    said = []
    if "roundtrip_psnr" in measured:
        said.append(f"inverted to {measured['roundtrip_psnr']:.0f} dB")
    if "noise_std" in measured:
        width, alike = measured["noise_std"], measured["noise_correlation"]
        said.append(f"its noise {width:.2f} wide (1 is ideal), neighbours alike by {alike:+.2f} (0 is)")
    return [*said, f"{measured['evaluations']:.0f} model calls"] if said else []
