"""A new clip that follows what is shown to a control branch beside the model (row 1, RelaCtrl).

Shape legend: T frames, H rows, W columns of the model's clip; tokens float32 [1, N, D].
"""

from __future__ import annotations

import numpy as np

from engines.adapters import CONTROL
from engines.backend.families.base import Family, Frames
from engines.backend.families.guided import guided_velocity
from engines.backend.families.ltx import LTXFamily
from engines.backend.geometry import LatentGeometry
from engines.backend.model_files import locate
from engines.conditioning.control.branch import ControlBranch, controlled, kind_index
from engines.context import RunContext
from engines.sampling.guidance import ClassifierFree
from engines.sampling.loop import sample
from engines.sampling.noise import INITIAL, SeededNoise
from engines.sampling.schedules import make_schedule, uniform
from engines.sampling.solvers import Euler
from engines.video_editing.progress import reporting
from engines.video_editing.request import Followed, VideoEditingRequest

KIND_OF: dict[Followed, str] = {"edges": "edges", "shape": "mask", "depth": "depth"}


def follow_clip(
    family: Family, request: VideoEditingRequest, geometry: LatentGeometry, shown: Frames, context: RunContext
) -> Frames:
    """uint8 [T, H, W, 3], like `shown`. Raises: NotAvailable for a model without a branch; Cancelled."""
    assert isinstance(family, LTXFamily)
    folder = CONTROL.folder(family.card, locate(family.card))
    branch = ControlBranch.from_pretrained(folder, use_safetensors=True, torch_dtype=family.dtype)
    branch = branch.to(family.device).eval()
    context.step("encoding", 0, 1)
    said, empty = (family.encode_prompt([text]) for text in (request.prompt, ""))
    condition = family.pack(family.encode(shown), geometry).values
    context.step("encoding", 1, 1)
    velocity = guided_velocity(family, geometry, ClassifierFree(said, empty, request.guidance_scale))
    levels = make_schedule("model", request.steps, geometry.tokens, family.scheduler_config)
    noise = SeededNoise(request.seed, (1, geometry.tokens, family.channels), family.device)
    kind = kind_index(KIND_OF[request.follow])
    with controlled(family.transformer, branch, condition, kind, request.closely):
        tokens = sample(
            velocity, noise(INITIAL), uniform(levels, geometry.tokens), Euler(), noise, reporting(context, "denoising")
        )
    context.step("decoding", 0, 1)
    frames = np.concatenate(list(family.decode(family.unpack(tokens, geometry))))
    context.step("decoding", 1, 1)
    return frames
