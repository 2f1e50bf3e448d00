"""What a chunk is given of the one before it: latents as they are, or decoded frames encoded again.

Shape legend: latents float32 [1, C, S, h, w] of a chunk's S slots, S' of them given; N = S·h·w tokens, D channels of a
token; TIME frames per slot.

How latents of frames in the middle of a film relate to those of the same frames at the beginning of a chunk, checked
on the bundled tokenizer (49 frames of three films, in one of which nothing moved):

- A clip cut off the film at a multiple of TIME has, from its slot 1 on, the film's latents to the bit: the encoder
  looks at one slot at a time. Cut one frame beside that they differ (29 … 41 dB of the latents' range).
- Its slot 0 is another code: one frame, repeated TIME times, where the film's slot holds TIME frames that move (32 … 35
  dB; equal only where nothing moves). No function of the film's latent alone gives it, so it is decoded and encoded.
- The decoder does look back (12 slots; beyond 4 less than a thousandth of a brightness level). A chunk that begins
  inside the film is decoded with the film, never alone.

So latents are handed over by default, in windows of whole slots, where nothing is lost however often; a decoded and
encoded end has 47 … 49 dB after one handover and 36 … 38 dB after five. Encoders that look back further (Wan, LTX)
have no slots that are equal after a cut: there only windows in the film's own slots are exact.

Where a window stands: in token coordinates it is TIME frames from slot to slot throughout, while a clip begins with a
step of one; that is all that a model with rotary places sees of it. The bundled model's velocity at slot 296 differs
from that at slot 1 by 2e-5 of its size, from that of a clip's beginning by 0.11: places set no limit to a film.

Paper row 64 (overlap tokens at σ = 0; both ways that it names).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from engines.backend.families.base import Family, Frames, LatentGeometry
from engines.conditioning.condition import Condition, token_coordinates
from engines.conditioning.given import Given
from engines.errors import InvalidRequest
from engines.long_video.chunk_plan import Chunk, ChunkPlan

Handover = Literal["latents", "reencode"]


class Codec(Protocol):
    """What of a family is needed to hand over."""

    def encode(self, frames: Frames) -> Tensor:
        """uint8 [T, H, W, 3] → [1, C, S, h, w]."""

    def decode(self, latents: Tensor) -> Iterator[Frames]:
        """[1, C, S, h, w] → uint8 [t, H, W, 3] in order."""


def handed_over(codec: Codec, plan: ChunkPlan, index: int, before: Tensor, how: Handover = "latents") -> Tensor:
    """The first slots of chunk `index`, float32 [1, C, S', h, w], S' = its given_slots.

    Args:
        before: Latents of the chunk before, all S slots.
        how: "latents" is exact (see the module for the first slot of a chunk that is a clip of its own); "reencode" is
            kept to be measured against it, and for overlaps that do not line up.

    Raises: InvalidRequest (field overlap) for latents that do not line up; ValueError for other latents than the plan's
        or a chunk that is given nothing.
    """
    chunk = plan.chunks[index]
    if not chunk.given_slots:
        raise ValueError(f"chunk {index} is given nothing")
    if before.shape[2] != plan.chunks[index - 1].slots:
        raise ValueError(f"chunk {index - 1} has {plan.chunks[index - 1].slots} slots, not {before.shape[2]}")
    if how == "reencode":
        return _encoded_again(codec, plan, chunk, before, chunk.given_slots)
    if plan.lined_up == "none":
        time = plan.temporal_compression
        below = plan.overlap // time * time
        raise InvalidRequest(
            f"With an overlap of {plan.overlap} frames the latents of two chunks are not of the same frames.",
            f"Choose an overlap of {below} frames, or hand over frames that are encoded again.",
            field="overlap",
        )
    if chunk.begins_inside:
        return before[:, :, -chunk.given_slots :]
    first = _encoded_again(codec, plan, chunk, before, 1)
    return torch.cat([first, before[:, :, before.shape[2] - (chunk.given_slots - 1) :].to(first)], dim=2)


def _encoded_again(codec: Codec, plan: ChunkPlan, chunk: Chunk, before: Tensor, slots: int) -> Tensor:
    """The first `slots` slots of the chunk, from frames of the one before."""
    time = plan.temporal_compression
    # Of a chunk that begins inside, decoded alone, slot 0 comes out as its last frame: the frames still end where the
    # chunk ends.
    frames = np.concatenate(list(codec.decode(before)))
    start = len(frames) - len(chunk.given)
    if not chunk.begins_inside:
        return codec.encode(frames[start : start + (slots - 1) * time + 1])
    # One frame earlier, so that the slots are whole ones; that frame's own slot is not part of the chunk.
    return codec.encode(frames[start - 1 : start + slots * time])[:, :, 1:]


def chunk_geometry(geometry: LatentGeometry, chunk: Chunk) -> LatentGeometry:
    """The film's geometry for one chunk. A window that begins inside the film has TIME − 1 frames more than a clip."""
    return replace(geometry, frames=chunk.frames, latent_frames=chunk.slots)


def chunk_coordinates(family: Family, geometry: LatentGeometry, chunk: Chunk, given: Given) -> Tensor:
    """Where the chunk's tokens stand in the film, then those of keyframes, float32 [1, 3, N + K·h·w].

    Args:
        geometry: Of the film or of any chunk.
        given: Keyframes are numbered in the film.
    """
    until = replace(geometry, latent_frames=chunk.first_slot + chunk.slots)
    before = chunk.first_slot * geometry.latent_height * geometry.latent_width
    return token_coordinates(family, until, given)[:, :, before:]


def chunk_condition(
    family: Family,
    geometry: LatentGeometry,
    plan: ChunkPlan,
    index: int,
    before: Tensor | None,
    how: Handover = "latents",
) -> Condition:
    """What chunk `index` is given, as the tokens that a model is shown at σ = 0.

    Args:
        geometry: Of the film or of any chunk.
        before: Latents of the chunk before; None for the first chunk and where chunks go together.

    Returns: values float32 [1, N, D]. Raises: as `handed_over`; ValueError if `before` is missing.
    """
    chunk = plan.chunks[index]
    own = chunk_geometry(geometry, chunk)
    tokens = torch.zeros(own.grid, dtype=torch.bool)
    values = torch.zeros(1, own.tokens, family.channels)
    if chunk.given_slots:
        if before is None:
            raise ValueError(f"chunk {index} is given the end of chunk {index - 1}, which is missing")
        tokens[: chunk.given_slots] = True
        handed = handed_over(family, plan, index, before, how)
        known = family.pack(handed, replace(own, latent_frames=chunk.given_slots)).values
        values[:, : known.shape[1]] = known
    return Condition(Given(tokens), values)


def contributed(plan: ChunkPlan, index: int, latents: Tensor) -> Tensor:
    """The slots that the chunk adds to the film's latents; all chunks' in a row are the film, float32 [1, C, s, h, w].

    Raises: ValueError where the film has no latents of its own, only frames.
    """
    if plan.lined_up != "every slot":
        raise ValueError(f"chunks that overlap by {plan.overlap} frames are joined as frames")
    return latents[:, :, plan.chunks[index].given_slots :]
