"""Hands result files to the browser through Gradio's cache, so that no folder of the studio is open to requests.

A copy in the cache lies under the hash of its content: whoever does not hold a job cannot guess the address of its
files.
"""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any

from gradio.data_classes import FileData
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

URL_PREFIX = "/gradio_api/file="


class FileServer:
    """Copies files into the cache and remembers them for Gradio's clean-up.

    Attributes:
        served: Paths of the copies; given to Blocks.temp_file_sets, so that delete_cache reaches them.
    """

    def __init__(self) -> None:
        self.served: set[str] = set()

    def cached(self, path: Path) -> str:
        """Path of the cached copy of a file. Raises FileNotFoundError if the file is gone."""
        copy = str(save_file_to_cache(path, get_upload_folder()))
        self.served.add(copy)
        return copy

    def file_data(self, path: Path) -> dict[str, Any]:
        """The file as the plain data of a FileData, which gradio_client downloads and the page shows."""
        copy = self.cached(path)
        return FileData(
            path=copy,
            url=URL_PREFIX + copy,
            orig_name=path.name,
            size=path.stat().st_size,
            mime_type=mimetypes.guess_type(path.name)[0],
        ).model_dump()
