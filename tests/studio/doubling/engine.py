"""Frames uint8 [T, H, W, 3] from a file, each drawn larger without a model."""

from __future__ import annotations

import time

import cv2
import numpy as np

from engines.context import RunContext
from engines.media.contact_sheet import save_picture, thumbnail
from engines.media.limits import Limits
from engines.media.metadata import OutputRecord
from engines.media.reader import ClipReader
from engines.media.writer import ClipWriter
from engines.task import OutputFile, Result
from tests.studio.doubling.request import DoublingRequest


class DoublingEngine:
    def check(self, request: DoublingRequest) -> list[str]:
        self._reader(request)
        return ["Photographs take long."] if request.model == "photo" else []

    def run(self, request: DoublingRequest, context: RunContext) -> Result:
        began = time.monotonic()
        reader = self._reader(request)
        frames = np.concatenate(list(reader))
        size = (round(reader.width * request.factor), round(reader.height * request.factor))
        path, still = context.work_folder / "result.mp4", context.work_folder / "result.webp"
        fields = {"task": request.task, **request.model_dump(mode="json")}
        larger = []
        for index, frame in enumerate(frames):
            larger.append(cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC))
            time.sleep(request.pause)
            context.step("rendering", index + 1, len(frames), np.stack(larger[-1:]), "chunk 1 of 1")
        clip = np.stack(larger).astype(np.uint8)
        with ClipWriter(path, reader.fps, metadata=OutputRecord(framewright="test", request=fields)) as writer:
            writer.write(clip)
        save_picture(still, thumbnail(clip))
        files = [OutputFile(path=path, kind="video"), OutputFile(path=still, kind="thumbnail")]
        measured = {
            "seconds": time.monotonic() - began, "width": float(size[0]), "height": float(size[1]),
            "fps": float(reader.fps), "frames": float(len(clip)),
        }  # fmt: skip
        return Result(files=files, measurements=measured)

    def _reader(self, request: DoublingRequest) -> ClipReader:
        return ClipReader(request.video, start=request.start, end=request.end, limits=Limits(), field="video")


ENGINE = DoublingEngine
