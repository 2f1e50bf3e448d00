"""Frames uint8 [T, H, W, 3]: an orange square crosses a grey field, sharper with each step."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from engines.backend.catalogue import load_catalogue
from engines.backend.geometry import plan_geometry
from engines.context import RunContext
from engines.diorama.prompt_words import unknown_words_sentence
from engines.errors import ResourceError
from engines.media.contact_sheet import save_picture, thumbnail
from engines.media.metadata import KEY, OutputRecord
from engines.task import OutputFile, Result
from engines.text_to_video.request import TextToVideoRequest

SECONDS_PER_STEP = 0.1


class MovingSquareEngine:
    def check(self, request: TextToVideoRequest) -> list[str]:
        catalogue = load_catalogue()
        card = catalogue.card(request.model)
        geometry = plan_geometry(card, request.height, request.width, request.frames, request.fps)
        sentence = unknown_words_sentence(request.prompt, card, catalogue)
        return [*geometry.warnings, *([sentence] if sentence else [])]

    def run(self, request: TextToVideoRequest, context: RunContext) -> Result:
        """Prompts with the words "too large" or "broken" fail, as memory does and as a bug does."""
        began = time.monotonic()
        context.step("loading", 0, 1)
        if "too large" in request.prompt:
            raise ResourceError(
                "The machine has too little memory.", "Choose fewer frames or a smaller size.", "frames"
            )
        if "broken" in request.prompt:
            raise RuntimeError("the square fell over")
        files = []
        for take in range(request.takes):
            seed = request.seed + take
            for step in range(1, request.steps + 1):
                time.sleep(SECONDS_PER_STEP)
                preview = frames_of(request, seed, step / request.steps)
                context.step("denoising", step, request.steps, preview)
            path = context.work_folder / f"take_{seed}.mp4"
            write(path, frames_of(request, seed, 1.0), request.model_copy(update={"seed": seed, "takes": 1}))
            still = path.with_suffix(".webp")
            save_picture(still, thumbnail(frames_of(request, seed, 1.0)))
            files.append(OutputFile(path=path, kind="video", seed=seed))
            files.append(OutputFile(path=still, kind="thumbnail", seed=seed))
        return Result(files=files, measurements={"seconds": time.monotonic() - began, "frames": request.frames})


def frames_of(request: TextToVideoRequest, seed: int, clearness: float) -> npt.NDArray[np.uint8]:
    height, width = request.height, request.width
    noise = np.random.default_rng(seed).normal(0, 70 * (1 - clearness), (request.frames, height, width, 3))
    clip = np.full((request.frames, height, width, 3), (96, 110, 104), np.float32)
    side = height // 3
    for index in range(request.frames):
        left = round((width - side) * index / max(1, request.frames - 1))
        top = (seed * 13) % max(1, height - side)
        clip[index, top : top + side, left : left + side] = (230, 120, 40)
    return np.clip(clip + noise, 0, 255).astype(np.uint8)


def write(path: Path, frames: npt.NDArray[np.uint8], request: TextToVideoRequest) -> None:
    with av.open(str(path), "w", options={"movflags": "+faststart+use_metadata_tags"}) as container:
        record = OutputRecord(framewright="test", request={"task": request.task, **request.model_dump(mode="json")})
        container.metadata.update({KEY: record.as_json()})
        stream = container.add_stream("libx264", rate=Fraction(request.fps))
        stream.width, stream.height, stream.pix_fmt = request.width, request.height, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


ENGINE = MovingSquareEngine
