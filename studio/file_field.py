"""A field of a form that holds a file: a place to drop it, the player that shows it, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from engines.errors import UserError
from engines.media.probe import MediaInfo
from studio.events import BESIDE_THE_QUEUE
from studio.files import FileServer
from studio.owned_files import OwnedFiles
from studio.owner import owner_of
from studio.source_facts import facts_of, notices_of
from studio.source_player import SourceValue, batch_items, no_source, source_player
from studio.source_preview import info_of, needs_copy, preview_of
from studio.uploaded_field import Updates, UploadedField
from studio.uploads import lines_of

MOST_REASONS = 3


class FileField(UploadedField):
    """Components of one file field that holds footage, and what happens when a file comes.

    Whatever sets the value (an upload, the form of last time, "reuse settings") changes what the player shows.

    Args:
        task: Prefix of the element ids.
        name: The request's field.
        label: Above the place to drop a file.
        several: Whether it may be several files, a zip file or a folder; otherwise it is one picture.
        each_a_job: Of several, each is a job of its own; otherwise they are pictures of one request, in their order.
        owned: Keeps files and knows whose they are.
        files: Serves them to the browser.

    Attributes:
        resets: Updates of other fields that go with a new file: what was cut off the last one means nothing for it.
        learns: What further fields become by what a new file says of itself. learning: Those fields.
    """

    def __init__(
        self,
        task: str,
        name: str,
        label: str,
        several: bool,
        owned: OwnedFiles,
        files: FileServer,
        each_a_job: bool = True,
    ) -> None:
        super().__init__(task, name, label, owned)
        self.resets: Updates = {}
        self.learning: Sequence[Any] = ()
        self.learns: Callable[[Path], Updates] = lambda path: {}
        self.each_a_job = each_a_job
        self.several, self.files, key = several, files, self.key
        with gr.Column(elem_classes=["file-field"], elem_id=f"{key}-field"):
            self.drop: Any = gr.File(
                label=label, file_count="multiple" if several else "single", height=148, elem_id=f"{key}-drop"
            )
            self.player: Any = source_player(task, name, label)
            self.lay_out_message()
            with gr.Row(elem_classes=["file-actions"]):
                self.another: Any = gr.UploadButton(
                    "Another file", file_count="multiple" if several else "single", size="sm", visible=False,
                    elem_id=f"{key}-another", min_width=110,
                )  # fmt: skip
                self.folder: Any = gr.UploadButton(
                    "A whole folder", file_count="directory", size="sm", visible=several and each_a_job,
                    elem_id=f"{key}-folder", min_width=110,
                )  # fmt: skip
                self.remove = gr.Button(
                    "Remove", size="sm", visible=False, elem_id=f"{key}-remove", min_width=110
                )  # fmt: skip
            self.lay_out_value()

    # Handlers.

    def take(self, request: gr.Request, given: Sequence[str] | str | None) -> Updates:
        """Files came: those that can be used are chosen, of the others it is said what is wrong."""
        paths = [given] if isinstance(given, str) else list(given or [])
        emptied: Updates = {self.drop: None}
        try:
            kept = self.owned.uploads.keep_all([Path(path) for path in paths], owner_of(request))
        except UserError as error:
            return emptied | self.error(str(error))
        usable, reasons = self._usable(kept)
        if not usable:
            nothing = f"There is no file in it. Choose a {self._noun}."
            return emptied | self.error(_left_out(reasons, len(kept)) or nothing)
        said = self.error(_left_out(reasons, len(kept)))
        return emptied | said | {self.value: lines_of(usable)} | self.resets | self.learns(usable[0])

    def refresh(self, request: gr.Request, lines: str) -> Updates:
        """The value changed: what is known at once."""
        return self._shows(lines, owner_of(request), 0, wait_for_copy=False)

    def finish(self, request: gr.Request, lines: str) -> Any:
        """And the picture that took its time, if there is one."""
        return self._shows(lines, owner_of(request), 0, wait_for_copy=True)

    def pick(self, request: gr.Request, lines: str, event: gr.EventData) -> Updates:
        """Another file of the batch is shown."""
        return self._shows(lines, owner_of(request), int(event.file), wait_for_copy=True)

    def _shows(self, lines: str, owner: str, place: int, wait_for_copy: bool) -> Updates:
        empty = self._visibility(False) | {self.player: no_source(self.task, self.label)}
        try:
            infos = [info_of(path) for path in self.paths({self.name: lines}, owner)]
            if not infos:
                return empty
            value = self._value(infos, min(place, len(infos) - 1), wait_for_copy)
        except UserError as error:
            return empty | self.error(str(error))
        return self._visibility(True) | {self.player: value}

    def _value(self, infos: Sequence[MediaInfo], place: int, wait_for_copy: bool) -> SourceValue:
        info = infos[place]
        value = no_source(self.task, self.label)
        value["name"], value["facts"] = info.path.name, facts_of(info)
        value["batch"] = batch_items([(one.path.name, facts_of(one)) for one in infos], place)
        waits = needs_copy(info)
        value["notices"] = notices_of(info, waits)
        if value["batch"]:
            together = f"{len(infos)} pictures, in this order."
            apart = f"{len(infos)} files: each becomes a job of its own and is rendered whole."
            value["notices"].insert(0, apart if self.each_a_job else together)
        elif info.kind != "picture":
            value["duration"], value["fps"] = info.duration_seconds, float(info.fps)
            value["step"] = float(1 / info.fps)
        if waits and not wait_for_copy:
            value["waiting"] = "Making a light copy that your browser can play…"
            return value
        preview = preview_of(info, self.owned.previews_of(info.path))
        value["video" if preview.moves else "picture"] = self.files.file_data(preview.path)
        return value

    @property
    def _noun(self) -> str:
        return "picture" if self.holds_pictures else "video"

    @property
    def holds_pictures(self) -> bool:
        """Whether only pictures are taken."""
        return not (self.several and self.each_a_job)

    def _usable(self, paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
        """(files that can be read, what is wrong with each of the others)."""
        usable, reasons = [], []
        for path in paths:
            try:
                info = info_of(path)
            except UserError as error:
                reasons.append(str(error))
                continue
            if self.holds_pictures and info.kind != "picture":
                reasons.append(f"“{path.name}” is not one picture. Choose a PNG, JPEG or WebP.")
            else:
                usable.append(path)
        return usable, reasons

    def _visibility(self, has_file: bool) -> Updates:
        return {
            self.drop: gr.update(visible=not has_file),
            self.another: gr.update(visible=has_file),
            self.remove: gr.update(visible=has_file),
        }

    # Events.

    @property
    def _shown(self) -> list[Any]:
        return [self.drop, self.another, self.remove, self.player, self.message]

    def wire(self) -> None:
        taken = [self.drop, self.message, self.value, *self.resets, *self.learning]
        for source in (self.drop, self.another, self.folder):
            source.upload(self.take, source, taken, **BESIDE_THE_QUEUE)
        changed = self.value.change(
            self.refresh, self.value, self._shown, trigger_mode="always_last", **BESIDE_THE_QUEUE
        )
        changed.then(self.finish, self.value, self._shown, **BESIDE_THE_QUEUE)
        self.player.pick(self.pick, self.value, self._shown, **BESIDE_THE_QUEUE)
        self.remove.click(self.removed, None, [self.message, self.value], **BESIDE_THE_QUEUE)

    def show_after(self, event: Any) -> None:
        event.then(self.finish, self.value, self._shown, **BESIDE_THE_QUEUE)


def _left_out(reasons: Sequence[str], files: int) -> str:
    """One message about the files that cannot be used, "" if there are none."""
    if not reasons or files == 1:
        return "".join(reasons)
    listed = " ".join(reasons[:MOST_REASONS])
    more = f" And {len(reasons) - MOST_REASONS} more." if len(reasons) > MOST_REASONS else ""
    return f"{len(reasons)} of {files} files are left out. {listed}{more}"
