"""The right side of the gallery: the chosen render or two of them, its request, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from engines.errors import NotAvailable, UserError
from studio.files import FileServer
from studio.film_strip import film_strip, strip_value
from studio.gallery_compare import no_pair, pair, pair_player
from studio.gallery_facts import caption_of, render_facts
from studio.gallery_list import playable_takes
from studio.gallery_player import gallery_player, nothing_to_play, playing
from studio.gallery_settings import settings_behind
from studio.gallery_shelf import Shelf
from studio.gallery_sight import Sight, parsed
from studio.owned_files import OwnedFiles
from studio.stage_html import FRAME_MOTIF, sentences

if TYPE_CHECKING:
    from studio.jobs.job import Job

EMPTY = (
    f'<div class="screen-card" data-state="empty">{FRAME_MOTIF}<h2>Your renders and files</h2>'
    "<p>Choose one to play it and to see how it was made.</p></div>"
)
NAME_CHARACTERS = 24
READYING = "Making it ready to play…"
PUTTING_SIDE_BY_SIDE = "Putting the two side by side…"


class Viewer:
    """Components of the viewer and the updates that make them show a Sight.

    Args:
        shelf: Knows how a take looks as a thumbnail.
        owned: Knows the jobs and keeps what is shown of their files.
        files: Serves results.
        titles: Task → title of its tab.
        receivers: Task → what the button says that sends the render there.
    """

    def __init__(
        self,
        shelf: Shelf,
        owned: OwnedFiles,
        files: FileServer,
        titles: Mapping[str, str],
        receivers: Mapping[str, str],
    ) -> None:
        self.shelf, self.owned, self.files, self.titles = shelf, owned, files, titles
        with gr.Row(elem_classes=["actions"], elem_id="gallery-notice-row"):
            self.notice = gr.HTML("", elem_id="gallery-notice", apply_default_css=False)
            self.undo = self._button("Undo", "undo")
        with gr.Column(elem_classes=["stage"], elem_id="gallery-viewer"):
            self.screen = gr.HTML(EMPTY, elem_id="gallery-screen", apply_default_css=False)
            self.player: Any = gallery_player()
            self.pair: Any = pair_player()
        with gr.Row(elem_classes=["actions"]):
            self.download: Any = self._button("Download", "download", gr.DownloadButton)
            self.star = self._button("Add to favourites", "star")
            self.compare = self._button("Compare with another", "compare")
            self.reuse = self._button("Reuse settings", "reuse")
            self.send = {task: self._button(words, f"send-{task}") for task, words in receivers.items()}
            self.trash = self._button("Move to trash", "trash")
        self.takes: Any = film_strip("gallery-takes")
        self.facts = gr.HTML("", elem_id="gallery-facts", apply_default_css=False)

    def _button(self, label: str, name: str, kind: Any = gr.Button) -> Any:
        return kind(label, elem_id=f"gallery-{name}", visible=False, size="md", min_width=110)

    @property
    def outputs(self) -> list[Any]:
        """What `updates` may change."""
        return [*self.filled, self.notice, self.undo, self.screen, self.star, self.compare, self.reuse,
                *self.send.values(), self.trash, self.takes, self.facts]  # fmt: skip

    @property
    def filled(self) -> list[Any]:
        """What `fill` changes."""
        return [self.player, self.pair, self.download]

    def found(self, sight: str, owner: str) -> tuple[Job, int]:
        """(job, take) of "JOB TAKE". Raises: NotAvailable if it is not this owner's or has no video to show."""
        job_id, take = parsed(sight)
        job = self.owned.queue.get(job_id, owner)
        takes = playable_takes(job)
        if not takes:
            raise NotAvailable("The files of this render are gone.", "Choose another one.", "job_id")
        return job, min(take, len(takes) - 1)

    def file_of(self, sight: str, owner: str) -> Path:
        """The video of "JOB TAKE". Raises: as `found`."""
        job, take = self.found(sight, owner)
        return playable_takes(job)[take].path

    def updates(self, sight: Sight, owner: str, notice: str = "") -> dict[Any, Any]:
        """Everything but the videos themselves, which may have to be made first: see `fill`.

        Args:
            notice: A sentence above the viewer.
        """
        try:
            job, take = self.found(sight.shown, owner) if sight.shown else (None, 0)
        except UserError as error:
            job, take, notice = None, 0, notice or str(error)
        if sight.choosing:
            notice = "Choose the render to compare this one with."
        return {
            self.notice: sentences([notice] if notice else [], "gallery-notice"),
            self.undo: gr.update(visible=bool(sight.deleted)),
            self.screen: gr.update(value="" if job else EMPTY, visible=job is None),
            **self._waiting(sight, job),
            **self._actions(sight, job),
            self.takes: strip_value("Takes", self.shelf.take_items(job, take) if job else [], layout="grid"),
            self.facts: render_facts(job, self.titles) if job else "",
        }

    def _waiting(self, sight: Sight, job: Job | None) -> dict[Any, Any]:
        both = job is not None and bool(sight.beside)
        return {
            self.player: nothing_to_play(caption_of(job), READYING) if job and not both else nothing_to_play(),
            self.pair: no_pair(PUTTING_SIDE_BY_SIDE if both else ""),
            self.download: gr.update(visible=job is not None),
        }

    def _actions(self, sight: Sight, job: Job | None) -> dict[Any, Any]:
        there = gr.update(visible=job is not None)
        starred, trashed = job is not None and job.favourite, job is not None and job.trashed
        ends = "End comparing" if sight.beside else "Cancel comparing" if sight.choosing else "Compare with another"
        return {
            self.star: gr.update(visible=job is not None, value="★ In favourites" if starred else "Add to favourites"),
            self.compare: gr.update(visible=job is not None, value=ends),
            self.reuse: gr.update(visible=job is not None and settings_behind(job) is not None),
            **dict.fromkeys(self.send.values(), there),
            self.trash: gr.update(visible=job is not None, value="Restore" if trashed else "Move to trash"),
        }

    def fill(self, sight: Sight, owner: str) -> dict[Any, Any]:
        """The videos; making them ready for the browser may take a while, the first time."""
        empty = {self.player: nothing_to_play(), self.pair: no_pair(), self.download: gr.update(visible=False)}
        if not sight.shown:
            return empty
        try:
            job, take = self.found(sight.shown, owner)
            path = playable_takes(job)[take].path
            download = {self.download: gr.update(value=self.files.cached(path), visible=True)}
            if sight.beside:
                return empty | self._side_by_side(sight, owner) | download
            return empty | {self.player: playing(path, caption_of(job), self.owned, self.files)} | download
        except UserError as error:
            return empty | {self.player: nothing_to_play("This render", str(error))}

    def _side_by_side(self, sight: Sight, owner: str) -> dict[Any, Any]:
        left, right = (self.file_of(one, owner) for one in (sight.shown, sight.beside))
        names = self._name(sight.shown, owner), self._name(sight.beside, owner)
        return {self.pair: pair(left, right, names, self.owned, self.files)}

    def _name(self, one: str, owner: str) -> str:
        """Of a render beside another: its seed tells two takes of the same prompt apart."""
        job, take = self.found(one, owner)
        seed = playable_takes(job)[take].seed
        title = caption_of(job)[:NAME_CHARACTERS]
        return title if seed is None else f"{title} · seed {seed}"
