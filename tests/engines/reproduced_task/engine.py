from __future__ import annotations

import numpy as np

from engines.context import RunContext
from engines.media.metadata import OutputRecord
from engines.media.writer import ClipWriter
from engines.task import OutputFile, Result
from tests.engines.reproduced_task.request import StripesRequest

# What another machine, model or version would change; the tests do.
ENVIRONMENT: dict[str, object] = {"dtype": "float32"}
MODEL: dict[str, object] = {"id": "stripes", "sha256": "aa"}
BRIGHTNESS = [200]


class StripesEngine:
    def check(self, request: StripesRequest) -> list[str]:
        return []

    def run(self, request: StripesRequest, context: RunContext) -> Result:
        path = context.work_folder / f"take_{request.seed}.{request.output_format}"
        record = OutputRecord(
            framewright="1.0",
            request={"task": "stripes", **request.model_dump()},
            model=dict(MODEL),
            fingerprint=dict(ENVIRONMENT),
        )
        columns = np.random.default_rng(request.seed).integers(0, BRIGHTNESS[0], 64)
        with ClipWriter(path, 12, metadata=record) as writer:
            for index in range(request.frames):
                context.step("writing", index, request.frames)
                stripes = np.roll(np.repeat(columns[::8], 8), index).astype(np.uint8)
                writer.write(np.broadcast_to(stripes[None, :, None], (48, 64, 3)).copy())
        return Result(files=[OutputFile(path=path, kind="video", seed=request.seed)])


ENGINE = StripesEngine
