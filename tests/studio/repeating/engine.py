"""Frames uint8 [T, H, W, 3] from a file, each repeated; of two pictures, the one fades into the other."""

from __future__ import annotations

import time
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt

from engines.context import RunContext
from engines.interpolation.request import InterpolationRequest
from engines.interpolation.source import check_length, open_source
from engines.media.contact_sheet import save_picture, thumbnail
from engines.media.metadata import OutputRecord
from engines.media.reader import ClipReader
from engines.media.writer import ClipWriter
from engines.task import OutputFile, Result

FADE_FRAMES = 12


class RepeatingEngine:
    def check(self, request: InterpolationRequest) -> list[str]:
        source, _ = open_source(request)
        check_length(request, source)
        return ["Slower than half is very slow."] if request.slower > 2 else []

    def run(self, request: InterpolationRequest, context: RunContext) -> Result:
        began = time.monotonic()
        clip, fps = frames_of(request)
        for index, frame in enumerate(clip):
            context.step("rendering", index + 1, len(clip), frame[None])
        path, still = context.work_folder / "result.mp4", context.work_folder / "result.webp"
        record = OutputRecord(framewright="test", request={"task": request.task, **request.model_dump(mode="json")})
        with ClipWriter(path, fps, metadata=record) as writer:
            writer.write(clip)
        save_picture(still, thumbnail(clip))
        files = [OutputFile(path=path, kind="video"), OutputFile(path=still, kind="thumbnail")]
        measured = {
            "seconds": time.monotonic() - began, "width": float(clip.shape[2]), "height": float(clip.shape[1]),
            "fps": float(fps), "frames": float(len(clip)),
        }  # fmt: skip
        return Result(files=files, measurements=measured)


def frames_of(request: InterpolationRequest) -> tuple[npt.NDArray[np.uint8], Fraction]:
    reader = ClipReader(request.video, start=request.start, end=request.end)
    frames = np.concatenate(list(reader)).astype(np.uint8)
    if request.second is None:
        return frames.repeat(2, axis=0), reader.fps * 2 / Fraction(request.slower)
    second = cv2.resize(next(iter(ClipReader(request.second)))[0], (reader.width, reader.height))
    shares = np.linspace(0, 1, FADE_FRAMES)[:, None, None, None]
    return (frames[:1] * (1 - shares) + second[None] * shares).astype(np.uint8), Fraction(12)


ENGINE = RepeatingEngine
