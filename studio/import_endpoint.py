"""Files that come through the API: how they are kept, and the endpoint that brings one into the gallery."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.utils import get_upload_folder

from engines.errors import UserError
from studio.api import Endpoints, JobReply, error_reply
from studio.gallery_imports import SAID
from studio.owned_files import OwnedFiles
from studio.owner import owner_of


def import_function(endpoints: Endpoints, owned: OwnedFiles) -> Callable[..., JobReply]:
    """The function behind /import_file."""

    def import_file(file: FileData, request: gr.Request) -> JobReply:
        """Copies a video, GIF, picture or zip of pictures into the gallery.

        Returns it as a job that is done, of the task "imported". A file that is there already is not doubled:
        `warnings` says so. If Framewright made the file, the page shows its settings.

        Args:
            file: The file; it is uploaded, and the original is only read.
        """
        owner = owner_of(request)
        try:
            found = owned.queue.imports.add(kept_file(file, "file", owned, owner), owner)
        except UserError as error:
            return error_reply(error)
        reply = endpoints.reply(found.job, with_files=True)
        if found.kind != "new":
            reply["warnings"] = [SAID[found.kind].format(name=found.name), *reply["warnings"]]
        return reply

    return import_file


def kept_file(given: Any, name: str, owned: OwnedFiles, owner: str) -> Path:
    """A file that was uploaded or that a result is served from, else one of the owner's own files."""
    path = Path(str(given.get("path") if isinstance(given, dict) else given))
    # What lies in Gradio's folder is found under the hash of its bytes: who knows the address was given the file.
    if path.resolve().is_relative_to(Path(get_upload_folder()).resolve()) and path.is_file():
        return owned.uploads.keep(path, owner)
    return owned.check(path, owner, name)
