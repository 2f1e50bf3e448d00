"""The Upscale tab: a larger picture of the same footage."""

from __future__ import annotations

from engines.task import request_class
from studio.files import FileServer
from studio.form import Choices, Form
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles
from studio.tabs.footage_tab import RATES, FootageTab

CHOICES: dict[str, Choices] = {
    "model": [("Drawn (fast)", "drawn"), ("Photo (slow, time shown first)", "photo")],
    "rate": [("As it is", "same"), *RATES],
}


class UpscaleTab(FootageTab):
    """Super-resolution.

    Args:
        queue: Where requests go.
        files: Serves results.
        owned: Keeps the files that are brought.
    """

    task_name = "super_resolution"
    tab_title = "Upscale"

    def __init__(self, queue: JobQueue, files: FileServer, owned: OwnedFiles) -> None:
        form = Form(request_class(self.task_name), CHOICES)
        super().__init__(self.tab_title, "Upscale", form, queue, files, owned)

    def lay_out_main(self) -> None:
        self.form.add_rest_of("main")
