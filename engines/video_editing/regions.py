"""A part of the picture made anew, or what lies beyond its borders: the rest is given to the model as it is.

Shape legend: T frames, H rows, W columns in pixels of the model's clip; T', h, w latent cells. Masks are float32
[T, H, W], 1 what is to be made.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch

from engines.backend.families.base import Family, Frames
from engines.backend.geometry import LatentGeometry
from engines.conditioning.complete import Sampling, complete
from engines.conditioning.condition import condition_on
from engines.conditioning.given import Given
from engines.context import RunContext
from engines.errors import InvalidRequest
from engines.sampling.guidance import ClassifierFree
from engines.video_editing.progress import reporting
from engines.video_editing.request import VideoEditingRequest

Floats = npt.NDArray[np.float32]
TOUCHED = 0.02  # share of a cell's pixels from which it is made anew
FEATHER = 1 / 48  # of the longer side: how softly what was made passes into what was there


def made_cells(masks: Floats, geometry: LatentGeometry, rate: int) -> torch.Tensor:
    """Which latent cells a mask touches, bool [T', h, w]. The first slot is one frame, every other `rate` of them."""
    cell = geometry.height // geometry.latent_height
    blocks = masks.reshape(len(masks), geometry.latent_height, cell, geometry.latent_width, cell)
    per_frame = blocks.mean((2, 4))
    slots = [per_frame[:1].max(0)]
    slots += [per_frame[1 + rate * slot : 1 + rate * (slot + 1)].max(0) for slot in range(geometry.latent_frames - 1)]
    return torch.from_numpy(np.stack(slots) > TOUCHED)


def make_region(
    family: Family, request: VideoEditingRequest, geometry: LatentGeometry, frames: Frames, masks: Floats,
    context: RunContext,
) -> Frames:  # fmt: skip
    """The clip with its masked part made anew, uint8 [T, H, W, 3]; what is not masked stays as it is.

    Raises: InvalidRequest for a mask that is empty or covers everything; Cancelled.
    """
    made = made_cells(masks, geometry, family.card.facts.temporal_compression)
    if not bool(made.any()) or bool(made.all()):
        share = "nothing" if not bool(made.any()) else "the whole picture, in every frame"
        raise InvalidRequest(
            f"What is selected covers {share} of what the model sees.",
            "Select a part of the picture that leaves something of it.",
            "selection",
        )
    context.step("encoding", 0, 1)
    said, empty = (family.encode_prompt([text]) for text in (request.prompt, ""))
    condition = condition_on(family, geometry, frames, Given(~made))
    context.step("encoding", 1, 1)
    latents = complete(
        family, geometry, ClassifierFree(said, empty, request.guidance_scale), condition,
        Sampling(steps=request.steps, seed=request.seed), reporting(context, "denoising"),
    )  # fmt: skip
    context.step("decoding", 0, 1)
    decoded = np.concatenate(list(family.decode(latents)))
    context.step("decoding", 1, 1)
    return laid_over(frames, decoded, masks)


def laid_over(frames: Frames, made: Frames, masks: Floats) -> Frames:
    """What was made where the mask is, softly passing into the clip's own pixels outside of it. uint8 [T, H, W, 3]."""
    spread = FEATHER * max(frames.shape[1:3])
    reach = 2 * round(2 * spread) + 1
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    mixed = np.empty_like(frames)
    for number, mask in enumerate(masks):
        wide = cv2.dilate((mask > 0.5).astype(np.float32), brush)
        share = np.maximum(cv2.GaussianBlur(wide, (0, 0), spread), mask)[..., None]
        share[share < 0.004] = 0  # so far outside nothing changes by a bit
        mixed[number] = np.rint(share * made[number] + (1 - share) * frames[number]).astype(np.uint8)
    return mixed
