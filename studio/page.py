"""The page: head, one tab for each task that works, and the API endpoints beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from engines.backend.catalogue import Feature, ModelCard, load_catalogue
from engines.backend.model_files import can_be_fetched
from engines.byte_sizes import spoken_bytes
from engines.text_to_video.request import TextToVideoRequest
from studio.events import BESIDE_THE_QUEUE
from studio.files import FileServer
from studio.header import Header
from studio.jobs.queue import JobQueue
from studio.model_downloads import ModelDownloads
from studio.owned_files import OwnedFiles
from studio.papers import load_papers
from studio.queue_panel import QueuePanel
from studio.tabs.animate import AnimateTab
from studio.tabs.edit import EditTab
from studio.tabs.gallery import GalleryTab
from studio.tabs.interpolate import InterpolateTab
from studio.tabs.models import ModelsTab
from studio.tabs.papers import papers_tab
from studio.tabs.storyboard import StoryboardTab
from studio.tabs.text_to_video import TextToVideoTab
from studio.tabs.upscale import UpscaleTab
from studio.task_endpoints import add_endpoints

TITLE = "Framewright"
CACHE_CHECK_SECONDS = 3600
CACHE_AGE_SECONDS = 24 * 3600
TEXT_TO_VIDEO = "Text to video"
FileTabs = StoryboardTab | AnimateTab | EditTab | UpscaleTab | InterpolateTab
FILE_TABS: tuple[type[FileTabs], ...] = (StoryboardTab, AnimateTab, EditTab, UpscaleTab, InterpolateTab)


def model_choices() -> list[tuple[str, str]]:
    """(label, id) of the catalogue's models, the bundled one first; others say what a download takes, or what for
    they are not."""
    return [(", ".join([card.title, *_beside(card)]), card.id) for card in load_catalogue().values()]


def _beside(card: ModelCard) -> list[str]:
    said = [] if Feature.TEXT_TO_VIDEO in card.features else ["starts from a picture: not for text to video"]
    return [*said, f"{spoken_bytes(card.all_bytes)} download"] if can_be_fetched(card) else said


def build_page(queue: JobQueue) -> gr.Blocks:
    """The whole page as Blocks, ready to launch. Makes no request to any other host."""
    files = FileServer()
    owned = OwnedFiles(queue)
    models = model_choices()
    titles = {"text_to_video": TEXT_TO_VIDEO, **{one.task_name: one.tab_title for one in FILE_TABS}}
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(CACHE_CHECK_SECONDS, CACHE_AGE_SECONDS)) as page:
        header = Header(models, TextToVideoRequest.model_fields["model"].description or "")
        panel = QueuePanel(queue, titles, header.status)
        with gr.Tabs(elem_id="rooms") as rooms:
            with gr.Tab(TEXT_TO_VIDEO, id="text_to_video"):
                text_to_video = TextToVideoTab(queue, files, header.model, models)
            file_rooms = [_file_room(one, queue, files, owned) for one in FILE_TABS]
            file_tabs = [tab for _, tab in file_rooms]
            with gr.Tab("Gallery", id="gallery") as gallery_room:
                gallery = GalleryTab(queue, files, owned, (text_to_video, *file_tabs))
            with gr.Tab("Models", id="models"):
                models_tab = ModelsTab(models, ModelDownloads())
            with gr.Tab("Methods", id="methods"):
                papers_tab(load_papers())
        text_to_video.wire(page.load)
        for room, tab in file_rooms:
            tab.wire(first_seen(room))
        gallery.wire(rooms, gallery_room)
        models_tab.wire()
        panel.wire(page)
        add_endpoints(queue, files, owned)
    page.temp_file_sets.append(files.served)
    return page


def _file_room(kind: type[FileTabs], queue: JobQueue, files: FileServer, owned: OwnedFiles) -> tuple[gr.Tab, FileTabs]:
    with gr.Tab(kind.tab_title, id=kind.task_name) as room:
        return room, kind(queue, files, owned)


def first_seen(room: gr.Tab) -> Callable[..., Any]:
    """The event at which a person opens a tab for the first time since the page was loaded.

    Tabs that nobody opens ask the server for nothing: a page of them all takes twice as long to be ready.
    """
    seen = gr.Textbox(visible="hidden", elem_id=f"{room.id}-seen", label="Whether this tab was opened")
    room.select(None, None, seen, js="() => 'yes'", **BESIDE_THE_QUEUE)
    return seen.change  # a value that stays changes nothing: it happens once
