"""The left side of the gallery: import, filters, thumbnails, and the pages of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from studio import film_strip
from studio.files import FileServer
from studio.gallery_disk import DiskPanel
from studio.gallery_facts import caption_of
from studio.gallery_imports import Brought
from studio.gallery_list import PAGE_RENDERS, VIEWS, Wanted, finished_renders, last_page, of_page, playable_takes
from studio.jobs.disk import TRASH_DAYS
from studio.jobs.job import IMPORTED
from studio.jobs.queue import JobQueue
from studio.stage import PLAYABLE, still_of
from studio.stage_html import sentences
from studio.theme import STATIC

if TYPE_CHECKING:
    from engines.task import OutputFile
    from studio.jobs.job import Job

SCRIPT = film_strip.SCRIPT + (STATIC / "gallery_shelf.js").read_text(encoding="utf-8")
TITLE = "Finished renders and imported files"
# A larger one is looked at when it was chosen; 24 of them would be read and sent for the sake of hovering.
MOST_HOVER_BYTES = 4 * 2**20
BRING_HELP = '<p class="gallery-help">Your own videos and pictures, copied: to compare and to send on.</p>'
TRASH_HELP = f"Each goes for good {TRASH_DAYS} days after it was thrown away; “Disk” empties the trash at once."
NOTHING = {
    "all": "There is nothing here yet. Render something in one of the other tabs, or import files of your own.",
    "favourites": "No render has a star yet. Choose one and press “Add to favourites”.",
    "trash": "The trash is empty.",
}


class Shelf:
    """Components of the shelf and the updates that fill them.

    Args:
        queue: Where the renders are.
        files: Serves thumbnails.
        titles: Task → title of its tab, for the filter.
    """

    def __init__(self, queue: JobQueue, files: FileServer, titles: Mapping[str, str]) -> None:
        self.queue, self.files = queue, files
        with gr.Row(elem_classes=["gallery-bring"]):
            self.bring: Any = gr.UploadButton(
                "Import files", file_count="multiple", size="md", elem_id="gallery-import", min_width=130, scale=0
            )
            gr.HTML(BRING_HELP, elem_id="gallery-import-help", apply_default_css=False)
        self.brought = gr.HTML("", elem_id="gallery-brought", apply_default_css=False)
        self.words: Any = gr.Textbox(
            label="Search", info="In prompts and names of files.", elem_id="gallery-words", elem_classes=["field"]
        )
        with gr.Row(elem_classes=["gallery-filters"]):
            self.view: Any = gr.Radio(
                VIEWS, value="all", label="Show", elem_id="gallery-view", elem_classes=["field"], scale=3, min_width=290
            )
            choices = [
                ("Everything", ""),
                *((title, task) for task, title in titles.items()),
                ("Imported files", IMPORTED),
            ]
            self.task: Any = gr.Dropdown(
                choices,
                value="",
                label="Made by",
                elem_id="gallery-task",
                elem_classes=["field"],
                scale=2,
                min_width=150,
            )
        self.disk = DiskPanel(queue)
        self.thumbnails: Any = gr.HTML(
            film_strip.strip_value("", []), html_template=film_strip.TEMPLATE, js_on_load=SCRIPT,
            apply_default_css=False, elem_id="gallery-thumbnails",
        )  # fmt: skip
        self.said = gr.HTML("", elem_id="gallery-said", apply_default_css=False)
        with gr.Row(elem_classes=["actions"]):
            self.newer = gr.Button("Newer", size="md", visible=False, elem_id="gallery-newer", min_width=110)
            self.older = gr.Button("Older", size="md", visible=False, elem_id="gallery-older", min_width=110)
        self.page: Any = gr.State(0)

    @property
    def inputs(self) -> list[Any]:
        """What `updates` has to know of the page: its last four arguments."""
        return [self.task, self.view, self.words, self.page]

    @property
    def outputs(self) -> list[Any]:
        return [self.brought, self.thumbnails, self.said, self.newer, self.older, self.page]

    def updates(self, owner: str, chosen: str, task: str, view: str, words: str, page: int) -> dict[Any, Any]:
        """Fills the shelf.

        Args:
            chosen: Id of the job that is shown, "" for none.
        """
        wanted = Wanted(task or "", view, words or "")
        found = finished_renders(self.queue, owner, wanted)
        page = min(max(0, page), last_page(len(found)))
        items = [self._item(job, job.id == chosen) for job in of_page(found, page)]
        return {
            self.brought: "",
            self.thumbnails: film_strip.strip_value(TITLE, items, layout="grid"),
            self.said: f'<p class="gallery-said" role="status">{_count_words(wanted, len(found), page)}</p>',
            self.newer: gr.update(visible=page > 0),
            self.older: gr.update(visible=page < last_page(len(found))),
            self.page: page,
        }

    def told(self, brought: Brought) -> dict[Any, Any]:
        """Below the button: what became of the files that were brought."""
        good = sentences(brought.sentences(), "gallery-notice")
        bad = f'<p class="field-error" role="alert">{escape(brought.complaint())}</p>' if brought.problems else ""
        return {self.brought: good + bad}

    def _item(self, job: Job, selected: bool) -> film_strip.StripItem:
        takes = playable_takes(job)
        first, still = takes[0], poster_of(job, takes[0])
        hovers = first.path.suffix in PLAYABLE and first.path.stat().st_size <= MOST_HOVER_BYTES
        return {
            "id": job.id,
            "caption": caption_of(job, len(takes)),
            "video": self.files.file_data(first.path) if hovers else None,
            "poster": self.files.file_data(still) if still else None,
            "selected": selected,
        }

    def take_items(self, job: Job, take: int) -> Sequence[film_strip.StripItem]:
        """The takes of one job, to pick from; [] if there is but one."""
        takes = playable_takes(job)
        return [
            {
                "id": str(index),
                "caption": f"Seed {video.seed}" if video.seed is not None else f"Take {index + 1}",
                "video": None,
                "poster": self.files.file_data(still) if (still := poster_of(job, video)) else None,
                "selected": index == take,
            }
            for index, video in enumerate(takes if len(takes) > 1 else [])
        ]


def poster_of(job: Job, video: OutputFile) -> Path | None:
    """The small picture of a take. An imported picture may be as large as it likes: its still stands for it."""
    if job.task != IMPORTED:
        return still_of(job, video)
    files = job.result.files if job.result else []
    return next((file.path for file in files if file.kind == "thumbnail" and file.path.exists()), None)


def _count_words(wanted: Wanted, found: int, page: int) -> str:
    if not found:
        return "Nothing here matches the search." if wanted.words.strip() or wanted.task else NOTHING[wanted.view]
    begin = page * PAGE_RENDERS
    counted = "1 item" if found == 1 else f"{found} items"
    if found > PAGE_RENDERS:
        counted = f"{begin + 1}–{min(begin + PAGE_RENDERS, found)} of {counted}"
    return f"{counted}. {TRASH_HELP}" if wanted.view == "trash" else counted
