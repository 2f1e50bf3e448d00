"""The gallery's word on the disk: what is used, what is allowed, and how room is made. Nothing goes unasked."""

from __future__ import annotations

from html import escape
from typing import Any, Literal

import gradio as gr

from engines.byte_sizes import spoken_bytes
from engines.errors import UserError
from studio.jobs.disk import TRASH_DAYS, Freed
from studio.jobs.queue import JobQueue
from studio.jobs.quota import DiskUse

Updates = dict[Any, Any]
Heap = Literal["trash", "failed"]
OLD_TRASH = f"What lies in the trash for more than {TRASH_DAYS} days goes for good."
BUTTONS: dict[Heap, str] = {"trash": "Empty trash", "failed": "Clear failed jobs"}


class DiskPanel:
    """Components of the panel and the updates that fill it.

    Args:
        queue: Knows what each owner uses.
    """

    def __init__(self, queue: JobQueue) -> None:
        self.queue = queue
        self.warning = gr.HTML("", elem_id="gallery-disk-warning", apply_default_css=False)
        with gr.Accordion("Disk", open=False, elem_id="gallery-disk") as self.panel:
            self.facts = gr.HTML("", elem_id="gallery-disk-facts", apply_default_css=False)
            with gr.Row(elem_classes=["actions"]):
                self.ask: dict[Heap, Any] = {
                    heap: gr.Button(label, size="md", visible=False, elem_id=f"gallery-clear-{heap}", min_width=110)
                    for heap, label in BUTTONS.items()
                }
            self.question = gr.HTML("", elem_id="gallery-disk-question", apply_default_css=False)
            with gr.Row(elem_classes=["actions"]):
                self.confirm = gr.Button(
                    "Delete for good",
                    variant="stop",
                    size="md",
                    visible=False,
                    elem_id="gallery-confirm",
                    min_width=110,
                )
                self.keep = gr.Button("Keep", size="md", visible=False, elem_id="gallery-keep", min_width=110)
        # Which heap the question is about, "" for none.
        self.asked: Any = gr.State("")

    @property
    def outputs(self) -> list[Any]:
        return [self.warning, self.panel, self.facts, *self.ask.values(), self.question, self.confirm, self.keep,
                self.asked]  # fmt: skip

    def updates(self, owner: str, said: str = "") -> Updates:
        """What is used now; no question stands open.

        Args:
            said: What was done, as a sentence.
        """
        use = self.queue.disk.use(owner)
        there = {"trash": use.trash_jobs, "failed": use.failed_jobs}
        return {
            self.warning: warning_html(use),
            self.panel: gr.update(label=panel_title(use)),
            self.facts: facts_html(use),
            **{button: gr.update(visible=there[heap] > 0) for heap, button in self.ask.items()},
            **self._question(f'<p class="disk-said" role="status">{escape(said)}</p>' if said else "", ""),
        }

    def asks(self, heap: Heap, owner: str) -> Updates:
        """Says what would go, and waits for the answer."""
        question = question_of(heap, self.queue.disk.use(owner))
        hidden = dict.fromkeys(self.ask.values(), gr.update(visible=False))
        return {**hidden, **self._question(f'<p class="disk-question" role="alert">{escape(question)}</p>', heap)}

    def clears(self, heap: str, owner: str) -> Updates:
        """The answer was yes."""
        clear = {"trash": self.queue.disk.empty_trash, "failed": self.queue.disk.clear_failed}.get(heap)
        if clear is None:
            return self.updates(owner)
        try:
            return self.updates(owner, freed_sentence(clear(owner)))
        except UserError as error:
            return self.updates(owner, str(error))

    def _question(self, html: str, heap: str) -> Updates:
        there = gr.update(visible=bool(heap))
        return {self.question: html, self.confirm: there, self.keep: there, self.asked: heap}


def panel_title(use: DiskUse) -> str:
    """On the folded panel."""
    limit = "" if use.allowed is None else f" of {spoken_bytes(use.allowed)}"
    return f"Disk: {spoken_bytes(use.used)}{limit} used"


def warning_html(use: DiskUse) -> str:
    """Above everything, as soon as it gets tight; "" before that."""
    if use.allowed is None or not use.is_near:
        return ""
    how = "No further render starts" if use.is_full else "It gets tight"
    ways = " Empty the trash" if use.trash_bytes else " Move what you no longer need to the trash and empty it"
    said = f"{how}: your files use {spoken_bytes(use.used)} of the {spoken_bytes(use.allowed)} that you may use."
    return f'<p class="disk-warning" role="status">{said}{ways}, below under “Disk”.</p>'


def facts_html(use: DiskUse) -> str:
    """Inside the panel: a bar if there is a limit, and what could go."""
    limit = "" if use.allowed is None else f" of the {spoken_bytes(use.allowed)} that you may use"
    lines = [f"Renders, imported files and unfinished jobs use {spoken_bytes(use.used)}{limit}."]
    if use.trash_jobs:
        lines.append(f"In the trash: {_jobs(use.trash_jobs)}, {spoken_bytes(use.trash_bytes)}.")
    if use.failed_jobs:
        noun = "job" if use.failed_jobs == 1 else "jobs"
        lines.append(f"Failed, cancelled or interrupted: {use.failed_jobs} {noun}, {spoken_bytes(use.failed_bytes)}.")
    lines.append(f"{OLD_TRASH} Nothing outside it ever goes by itself.")
    return _bar(use) + f'<ul class="disk-facts">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>'


def _bar(use: DiskUse) -> str:
    if use.allowed is None:
        return ""
    percent = min(100.0, 100 * use.used / use.allowed)
    words = f"{spoken_bytes(use.used)} of {spoken_bytes(use.allowed)}"
    return (
        f'<div class="disk-track{" near" if use.is_near else ""}" role="meter" aria-label="Disk used" '
        f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent:.0f}" aria-valuetext="{words}">'
        f'<div style="width:{percent:.1f}%"></div></div>'
    )


def question_of(heap: Heap, use: DiskUse) -> str:
    """What would go, before it goes."""
    number = use.trash_jobs if heap == "trash" else use.failed_jobs
    verb = "goes" if number == 1 else "go"
    if heap == "trash":
        what, size = f"{_jobs(number)} in the trash {verb} for good", use.trash_bytes
    else:
        noun = "job" if number == 1 else "jobs"
        what = f"{number} failed, cancelled or interrupted {noun} {verb} for good, with the parts that were finished"
        size = use.failed_bytes
    return f"{what}; this frees {spoken_bytes(size)}. It cannot be undone."


def freed_sentence(freed: Freed) -> str:
    gone = "1 is" if freed.jobs == 1 else f"{freed.jobs} are"
    return f"{gone} gone for good; {spoken_bytes(freed.bytes)} are free again." if freed.jobs else "There was nothing."


def _jobs(number: int) -> str:
    return "1 item" if number == 1 else f"{number} items"
