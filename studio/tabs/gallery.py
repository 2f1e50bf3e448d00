"""The Gallery tab: finished renders to find again, look at, compare, keep, throw away and go on with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from engines.errors import UserError
from studio import source_prompt
from studio.events import BESIDE_THE_QUEUE
from studio.files import FileServer
from studio.gallery_disk import Heap
from studio.gallery_imports import bring
from studio.gallery_settings import reusable, settings_behind
from studio.gallery_shelf import Shelf
from studio.gallery_sight import Sight, parsed
from studio.gallery_viewer import Viewer
from studio.jobs.queue import JobQueue
from studio.last_frame import kept_last_frame
from studio.owned_files import OwnedFiles
from studio.owner import owner_of
from studio.stage_html import sentences
from studio.tabs.files_tab import FilesTab
from studio.tabs.footage_tab import FootageTab
from studio.tabs.task_tab import TaskTab
from studio.uploads import lines_of, paths_of

Updates = dict[Any, Any]


class GalleryTab:
    """Lays the tab out in the current block.

    Args:
        queue: Where the renders are.
        files: Serves results.
        owned: Knows whose files are whose.
        tabs: The tabs of the tasks, complete; the ids of their gr.Tab are their tasks' names.
    """

    def __init__(self, queue: JobQueue, files: FileServer, owned: OwnedFiles, tabs: Sequence[TaskTab]) -> None:
        self.queue, self.owned = queue, owned
        self.tabs: Mapping[str, TaskTab] = {tab.task: tab for tab in tabs}
        titles = {task: tab.title for task, tab in self.tabs.items()}
        receivers = {tab.task: f"Send to {tab.title}" for tab in tabs if isinstance(tab, FootageTab)}
        self.frame_fields = {tab.task: tab.frame_field for tab in tabs if isinstance(tab, FilesTab) and tab.frame_field}
        receivers |= {task: f"Last frame to {titles[task]}" for task in self.frame_fields}
        with gr.Row(elem_classes=["workbench", "gallery"]):
            with gr.Column(elem_classes=["controls"], scale=6, min_width=320):
                self.shelf = Shelf(queue, files, titles)
            with gr.Column(elem_classes=["showing"], scale=6, min_width=320):
                self.viewer = Viewer(self.shelf, owned, files, titles, receivers)
        # Rendered by `wire`, outside of the tabs: what lies in a tab that was not opened yet reads nothing.
        self.sight: Any = gr.BrowserState(
            Sight().as_data(), storage_key="framewright-gallery", secret="framewright", render=False
        )

    def _shows(self, sight: Sight, owner: str, notice: str = "") -> Updates:
        """The viewer shows this; the videos follow, see `fill`."""
        return {self.sight: sight.as_data()} | self.viewer.updates(sight, owner, notice)

    # Handlers.

    def open(self, request: gr.Request, data: Any, *filters: Any) -> Updates:
        """The tab was opened: the newest renders, and what was shown the last time."""
        owner, sight = owner_of(request), Sight.from_data(data)
        return self.shelf.updates(owner, parsed(sight.shown)[0], *filters) | self._shows(sight, owner)

    def filter(self, request: gr.Request, data: Any, task: str, view: str, words: str) -> Updates:
        """Other filters: their first page."""
        return self.shelf.updates(owner_of(request), parsed(Sight.from_data(data).shown)[0], task, view, words, 0)

    def _turns(self, by: int) -> Callable[..., Updates]:
        def turn(request: gr.Request, data: Any, task: str, view: str, words: str, page: int) -> Updates:
            chosen = parsed(Sight.from_data(data).shown)[0]
            return self.shelf.updates(owner_of(request), chosen, task, view, words, page + by)

        return turn

    def pick(self, request: gr.Request, data: Any, event: gr.EventData) -> Updates:
        """A thumbnail was chosen."""
        return self._shows(Sight.from_data(data).picked(str(event.id)), owner_of(request))

    def pick_take(self, request: gr.Request, data: Any, event: gr.EventData) -> Updates:
        """Another take of the render that is shown."""
        sight = Sight.from_data(data)
        _, take = parsed(f"- {event.id}")
        return self._shows(sight.picked(parsed(sight.shown)[0], take), owner_of(request))

    def press_compare(self, request: gr.Request, data: Any) -> Updates:
        return self._shows(Sight.from_data(data).compare_pressed(), owner_of(request))

    def fill(self, request: gr.Request, data: Any) -> Updates:
        """The videos of what the browser says it shows."""
        return self.viewer.fill(Sight.from_data(data), owner_of(request))

    def toggle_star(self, request: gr.Request, data: Any, *filters: Any) -> Updates:
        """Leaves the player alone: it goes on playing."""
        owner, sight = owner_of(request), Sight.from_data(data)
        try:
            job, _ = self.viewer.found(sight.shown, owner)
            self.queue.set_favourite(job.id, not job.favourite, owner)
        except UserError as error:
            return self._shows(Sight(), owner, str(error))
        kept = {one: change for one, change in self._shows(sight, owner).items() if one not in self.viewer.filled}
        return kept | self.shelf.updates(owner, job.id, *filters)

    def toggle_trash(self, request: gr.Request, data: Any, *filters: Any) -> Updates:
        """Into the trash, with a way back; or out of it."""
        owner, sight = owner_of(request), Sight.from_data(data)
        try:
            job, _ = self.viewer.found(sight.shown, owner)
            if job.trashed:
                self.queue.restore(job.id, owner)
                shown, said = Sight(shown=sight.shown), "It is back in the gallery."
            else:
                self.queue.delete(job.id, owner)
                shown, said = Sight(deleted=job.id), "It lies in the trash."
        except UserError as error:
            shown, said = Sight(), str(error)
        return self._shows(shown, owner, said) | self.shelf.updates(owner, parsed(shown.shown)[0], *filters)

    def undo_delete(self, request: gr.Request, data: Any, *filters: Any) -> Updates:
        owner, sight = owner_of(request), Sight.from_data(data)
        try:
            self.queue.restore(sight.deleted, owner)
            shown, said = Sight(shown=f"{sight.deleted} 0"), "It is back in the gallery."
        except UserError as error:
            shown, said = Sight(), str(error)
        return self._shows(shown, owner, said) | self.shelf.updates(owner, parsed(shown.shown)[0], *filters)

    def receive(self, given: Sequence[str] | None) -> str:
        """Files have arrived; looking at them and copying them may take a while."""
        number = len(given or [])
        return sentences([f"Looking at {number} files…" if number > 1 else "Looking at the file…"], "gallery-notice")

    def bring(self, request: gr.Request, given: Sequence[str] | None, data: Any, *filters: Any) -> Updates:
        """Files were chosen for import: they stand on the shelf, and the first of them is shown."""
        owner, sight = owner_of(request), Sight.from_data(data)
        brought = bring([Path(one) for one in given or []], self.owned, owner)
        if brought.first is not None:
            sight = Sight(shown=f"{brought.first.id} 0")
        shelf = self.shelf.updates(owner, parsed(sight.shown)[0], *filters)
        return self._shows(sight, owner) | shelf | self.shelf.told(brought) | self.shelf.disk.updates(owner)

    def look_at_disk(self, request: gr.Request) -> Updates:
        """What is used now."""
        return self.shelf.disk.updates(owner_of(request))

    def _asks(self, heap: Heap) -> Callable[..., Updates]:
        def ask(request: gr.Request) -> Updates:
            return self.shelf.disk.asks(heap, owner_of(request))

        return ask

    def clear(self, request: gr.Request, heap: str, data: Any, *filters: Any) -> Updates:
        """Confirmed: what lies on this heap goes for good; what was shown of it is no longer shown."""
        owner, sight = owner_of(request), Sight.from_data(data)
        cleared = self.shelf.disk.clears(heap, owner)
        try:
            shown = sight if sight.shown and self.viewer.found(sight.shown, owner) else Sight()
        except UserError:
            shown = Sight()
        return self._shows(shown, owner) | self.shelf.updates(owner, parsed(shown.shown)[0], *filters) | cleared

    def _reuses(self, rooms: gr.Tabs) -> Callable[..., Updates]:
        def reuse(request: gr.Request, data: Any) -> Updates:
            """The render's request goes into the form of its task's tab, which opens."""
            owner = owner_of(request)
            try:
                job, _ = self.viewer.found(Sight.from_data(data).shown, owner)
            except UserError as error:
                return self._shows(Sight(), owner, str(error))
            settings = settings_behind(job)
            if settings is None:
                return self._shows(Sight.from_data(data), owner, "It carries no settings.")
            tab = self.tabs[settings.task]
            if job.task == settings.task:
                return {rooms: gr.update(selected=job.task)} | tab.filled(tab.fields_of(job), owner)
            fields, missing = reusable(settings, self.owned, owner)
            filled = tab.filled(fields, owner)
            for name, file in missing.items():
                filled |= tab.form.files[name].error(f"The settings name “{file}”, which is not here. Choose it.")
            return {rooms: gr.update(selected=settings.task)} | filled

        return reuse

    def _sends(self, rooms: gr.Tabs, task: str) -> Callable[..., Updates]:
        def send(request: gr.Request, data: Any) -> Updates:
            """The render becomes the input of this tab, whole or its last frame; the other settings stay as they were
            left there.
            """
            owner = owner_of(request)
            try:
                path = self.viewer.file_of(Sight.from_data(data).shown, owner)
                if task in self.frame_fields:
                    path = kept_last_frame(path, self.owned, owner)
            except UserError as error:
                return self._shows(Sight(), owner, str(error))
            form, field = self.tabs[task].form, self.frame_fields.get(task, "video")
            values = self.queue.load_form(owner, task) or {}
            of_the_last_one = {"start": 0.0, "end": None, "marks": ""}
            values |= {name: value for name, value in of_the_last_one.items() if name in form.names}
            others = [one for one in paths_of(values.get(field)) if one != path] if form.takes_several(field) else []
            values[field] = lines_of([*others, path])
            if source_prompt.FIELD in form.names and (said := source_prompt.prompt_in(path)):
                values[source_prompt.FIELD] = said
            return {rooms: gr.update(selected=task)} | self.tabs[task].filled(values, owner)

        return send

    # Events.

    def wire(self, rooms: gr.Tabs, tab: gr.Tab) -> None:
        """Connects the handlers. Called outside of the tabs.

        Args:
            rooms: The tabs of the page.
            tab: The one that this gallery lies in.
        """
        self.sight.render()
        shelf, viewer, asked = self.shelf, self.viewer, [self.sight, *self.shelf.inputs]
        sees = [self.sight, *viewer.outputs]
        latest = {"trigger_mode": "always_last", **BESIDE_THE_QUEUE}
        gr.on(
            [shelf.task.input, shelf.view.input, shelf.words.change], self.filter, asked[:-1], shelf.outputs, **latest
        )
        shelf.newer.click(self._turns(-1), asked, shelf.outputs, **BESIDE_THE_QUEUE)
        shelf.older.click(self._turns(1), asked, shelf.outputs, **BESIDE_THE_QUEUE)
        viewer.star.click(self.toggle_star, asked, [*sees, *shelf.outputs], **BESIDE_THE_QUEUE)
        filled_anew = [
            tab.select(self.open, asked, [*sees, *shelf.outputs], **BESIDE_THE_QUEUE),
            viewer.trash.click(self.toggle_trash, asked, [*sees, *shelf.outputs], **BESIDE_THE_QUEUE),
            viewer.undo.click(self.undo_delete, asked, [*sees, *shelf.outputs], **BESIDE_THE_QUEUE),
        ]
        for happened in (
            *filled_anew,
            shelf.thumbnails.pick(self.pick, self.sight, sees, **latest),
            viewer.takes.pick(self.pick_take, self.sight, sees, **latest),
            viewer.compare.click(self.press_compare, self.sight, sees, **BESIDE_THE_QUEUE),
        ):
            happened.then(self.fill, self.sight, viewer.filled, **BESIDE_THE_QUEUE)
        for happened in filled_anew:
            # Of its own: counting many folders takes its time, and nothing else waits for it.
            happened.then(self.look_at_disk, None, shelf.disk.outputs, **BESIDE_THE_QUEUE)
        self._wire_disk(asked, sees)
        self._wire_other_tabs(rooms, sees)

    def _wire_disk(self, asked: Sequence[Any], sees: Sequence[Any]) -> None:
        """Import fills the disk, and the panel empties it."""
        shelf, disk = self.shelf, self.shelf.disk
        changed = [*sees, *shelf.outputs, *disk.outputs]
        received = shelf.bring.upload(self.receive, shelf.bring, shelf.brought, **BESIDE_THE_QUEUE)
        brought = received.then(self.bring, [shelf.bring, *asked], changed, **BESIDE_THE_QUEUE)
        cleared = disk.confirm.click(self.clear, [disk.asked, *asked], changed, **BESIDE_THE_QUEUE)
        for happened in (brought, cleared):
            happened.then(self.fill, self.sight, self.viewer.filled, **BESIDE_THE_QUEUE)
        for heap, button in disk.ask.items():
            button.click(self._asks(heap), None, disk.outputs, **BESIDE_THE_QUEUE)
        disk.keep.click(self.look_at_disk, None, disk.outputs, **BESIDE_THE_QUEUE)

    def _wire_other_tabs(self, rooms: gr.Tabs, sees: Sequence[Any]) -> None:
        every_form = [one for tab in self.tabs.values() for one in (*tab.form.outputs, *tab.advised)]
        self._shown_after(
            self.viewer.reuse.click(
                self._reuses(rooms), self.sight, [rooms, *sees, *dict.fromkeys(every_form)], **BESIDE_THE_QUEUE
            ),
            self.tabs.values(),
        )
        for task, button in self.viewer.send.items():
            tab = self.tabs[task]
            changed = [rooms, *sees, *tab.form.outputs, *tab.advised]
            self._shown_after(button.click(self._sends(rooms, task), self.sight, changed, **BESIDE_THE_QUEUE), [tab])

    def _shown_after(self, event: Any, tabs: Any) -> None:
        """A tab that was never opened hears no change of its file fields."""
        for tab in tabs:
            for field in tab.form.files.values():
                field.show_after(event)
