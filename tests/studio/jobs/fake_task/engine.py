from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from engines.context import RunContext
from engines.errors import MediaError
from engines.task import OutputFile, Result


class OutOfMemoryError(RuntimeError):
    """As torch names it."""


class FakeEngine:
    def __init__(self) -> None:
        self.jobs = 0

    def check(self, request: Any) -> list[str]:
        return ["“blorb” is not a word."] if "blorb" in request.text else []

    def run(self, request: Any, context: RunContext) -> Result:
        """Each step leaves a part behind; a part that is there already is not made again."""
        self.jobs += 1
        made = 0
        context.step("denoising", 0, request.steps)
        for step in range(1, request.steps + 1):
            part = context.work_folder / f"part_{step}"
            if not part.exists():
                time.sleep(request.step_seconds)
                part.write_text("done")
                made += 1
            frames = np.zeros((3, 8, 16, 3), np.uint8) + np.array([0, 100, 200], np.uint8)[:, None, None, None]
            context.step("denoising", step, request.steps, preview=frames, message=f"Step {step}.")
            if request.chunk_steps and step % request.chunk_steps == 0:
                context.at_chunk_border()
        _end(request.ends_with)
        video = context.work_folder / "result.txt"
        video.write_bytes(request.video.read_bytes() if request.video else request.text.encode())
        measurements = {"made": made, "jobs_of_this_engine": self.jobs, "process": os.getpid()}
        return Result(files=[OutputFile(path=video, kind="video")], measurements=measurements, warnings=["Rounded."])


def _end(how: str) -> None:
    if how == "user_error":
        raise MediaError("The clip has no frames.", "Choose another clip.", field="text")
    if how == "bug":
        raise KeyError("no such thing")
    if how == "memory":
        raise MemoryError
    if how == "gpu_memory":
        raise OutOfMemoryError("tried to allocate 9 GiB")
    if how == "exit":
        os._exit(3)


ENGINE = FakeEngine
