"""The queue on every tab: what runs, waits and went wrong, with the buttons for it; the same in every window.

It stands folded under the head; the browser unfolds it (queue_panel.js) and tells of what is done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import gradio as gr

from engines.errors import UserError
from studio.error_messages import toast
from studio.events import BESIDE_THE_QUEUE, HIDDEN
from studio.header import status_line
from studio.jobs.job import RETRYABLE, Job
from studio.jobs.queue import JobQueue
from studio.owner import owner_of
from studio.queue_rows import Row, latest_news, row_of
from studio.smaller import smaller_fields
from studio.theme import STATIC

LOOK_SECONDS = 2
LATEST_JOBS = 40
# Rows that are shown; the others wait unseen.
MOST_WAITING = 30
# Of the jobs that went wrong; the others are in the gallery or in their tab.
MOST_ENDED = 5
SCRIPT = (STATIC / "queue_panel.js").read_text(encoding="utf-8")
TEMPLATE = """<section class="queue-panel" aria-label="Queue" data-news="{{value.news.at}}"
  data-news-status="{{value.news.status}}" data-news-title="{{value.news.title}}" data-running="{{value.running}}"
  data-answered="{{value.answered}}">
  <div class="queue-head"><h2>Queue</h2>
    <label><input type="checkbox" data-tell="notify"> Notify me</label>
    <label><input type="checkbox" data-tell="sound"> Play a sound</label>
  </div>
  {{#if value.notice}}<p class="queue-notice" role="alert">{{value.notice}}</p>{{/if}}
  {{#if value.rows}}{{else}}<p class="queue-empty">Nothing runs and nothing waits.</p>{{/if}}
  {{#each value.rows}}
  <article class="queue-row" data-state="{{this.state}}">
    <div class="queue-said">
      <h3>{{this.title}}</h3>
      <p><span class="queue-room">{{this.room}}</span> {{this.words}}</p>
      {{#if this.has_bar}}<progress max="100" value="{{this.percent}}" aria-label="{{this.title}}"></progress>{{/if}}
      {{#if this.error}}<p class="queue-error">{{this.error}}</p>{{/if}}
    </div>
    <div class="queue-buttons">
      {{#each this.buttons}}<button type="button" data-id="{{this.id}}" data-do="{{this.name}}"
        aria-label="{{this.hint}}">{{this.label}}</button>{{/each}}
      {{#if this.priorities}}<select data-id="{{this.id}}" aria-label="Priority of {{this.title}}">
        {{#each this.priorities}}<option value="{{this.name}}" {{#if this.selected}}selected{{/if}}>{{this.name}}
          priority</option>{{/each}}</select>{{/if}}
      <button type="button" class="queue-fold" data-id="{{this.id}}" data-do="open"
        aria-expanded="{{#if this.opened}}true{{else}}false{{/if}}" aria-label="History of {{this.title}}">
        History</button>
    </div>
    {{#if this.opened}}<div class="queue-history">
      <ol>{{#each this.events}}<li><time>{{this.at}}</time> {{this.words}}</li>{{/each}}</ol>
      {{#if this.log}}<pre tabindex="0">{{this.log}}</pre>{{/if}}
    </div>{{/if}}
  </article>
  {{/each}}
  {{#if value.further}}<p class="queue-empty">{{value.further}}</p>{{/if}}
</section>"""


class QueuePanel:
    """Component and handlers.

    Args:
        queue: Where the jobs are.
        titles: Task → title of its tab.
        status: The head's line, which says how many jobs wait.
    """

    def __init__(self, queue: JobQueue, titles: Mapping[str, str], status: Any) -> None:
        self.queue, self.titles, self.status = queue, titles, status
        self.component: Any = gr.HTML(
            {**self._value([], [], "", 0), "answered": ""}, html_template=TEMPLATE, js_on_load=SCRIPT,
            apply_default_css=False, elem_id="queue",
        )  # fmt: skip
        self.opened = gr.State("")
        self.shown: Any = gr.Textbox(visible="hidden", elem_id="queue-shown", label="What the queue shows")

    # What stands there.

    def _value(self, rows: list[Row], jobs: list[Job], running: str, more: int) -> dict[str, Any]:
        further = f"And {more} more that wait." if more > 0 else ""
        return {"rows": rows, "news": latest_news(jobs), "running": running, "further": further,
                "notice": self.queue.notice or "",
                "answered": "yes"}  # fmt: skip

    def updates(self, owner: str, opened: str, shown: str = "") -> dict[Any, Any]:
        """The panel and the head's line; nothing where the page shows this already.

        Args:
            opened: The job whose history is unfolded, "" for none.
            shown: The value of `self.shown`.
        """
        waiting, latest = self.queue.waiting(owner), self.queue.list(owner, None, LATEST_JOBS)
        ended = [job for job in latest if job.status in RETRYABLE][:MOST_ENDED]
        queued = [job.id for job in waiting if job.status in ("queued", "paused")]
        shown_jobs = [*waiting[:MOST_WAITING], *ended]
        seconds = self.queue.expected_seconds(owner, [job for job in shown_jobs if job.status == "queued"])
        rows = [self._row(job, queued, owner, job.id == opened, seconds.get(job.id)) for job in shown_jobs]
        running = next((f"{row['percent']} %" for row in rows if row["state"] == "running" and row["has_bar"]), "")
        value = self._value(rows, latest, running, len(waiting) - MOST_WAITING)
        key = json.dumps(value, sort_keys=True)
        if key == shown:
            return {}
        return {self.component: value, self.status: status_line(len(waiting)), self.shown: key}

    def _row(self, job: Job, queued: list[str], owner: str, is_opened: bool, seconds: float | None) -> Row:
        place = queued.index(job.id) if job.id in queued else 0
        history = (self.queue.events(job.id, owner), job.log_tail()) if is_opened else None
        return row_of(job, self.titles.get(job.task, job.task), place, len(queued), seconds, history)

    # Handlers.

    def look(self, request: gr.Request, opened: str, shown: str) -> Any:
        """Asked every LOOK_SECONDS by every window: so they show the same."""
        return self.updates(owner_of(request), opened, shown) or {self.opened: opened}

    def act(self, request: gr.Request, opened: str, event: gr.EventData) -> Any:
        """A button or the menu of a row."""
        owner, job_id, wanted = owner_of(request), str(event.id), str(event.do)
        if wanted == "open":
            opened = "" if opened == job_id else job_id
            return {self.opened: opened} | self.updates(owner, opened)
        try:
            self._do(wanted, job_id, owner)
        except UserError as error:
            toast(error)
        return self.updates(owner, opened) or {self.opened: opened}

    def _do(self, wanted: str, job_id: str, owner: str) -> None:
        """Raises: UserError, also for what this job's state has no button for: two windows may differ by a moment."""
        queue = self.queue
        if wanted in ("first", "up", "down"):
            queue.move(job_id, wanted, owner)  # type: ignore[arg-type]
        elif wanted.startswith("priority "):
            queue.set_priority(job_id, wanted.removeprefix("priority "), owner)
        elif wanted == "smaller":
            failed = queue.get(job_id, owner)
            queue.submit(failed.task, smaller_fields(failed) or failed.fields, owner)
        elif wanted in DOES:
            DOES[wanted](queue, job_id, owner)

    def wire(self, page: gr.Blocks) -> None:
        """Connects the handlers. Called outside of the tabs."""
        timer, outputs = gr.Timer(LOOK_SECONDS), [self.component, self.status, self.shown, self.opened]
        for happens in (timer.tick, page.load):
            happens(self.look, [self.opened, self.shown], outputs, **BESIDE_THE_QUEUE)
        self.component.act(self.act, self.opened, outputs, **HIDDEN)


DOES = {
    "pause": JobQueue.pause,
    "resume": JobQueue.resume,
    "cancel": JobQueue.cancel,
    "retry": JobQueue.retry,
    "dismiss": JobQueue.delete,
}
