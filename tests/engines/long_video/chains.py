"""Small films of a tiny model: the ways of engines.long_video with what a test wants to see of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from engines.backend.families.base import Family
from engines.long_video.chained import make_chain
from engines.long_video.chunk_plan import ChunkPlan
from engines.long_video.film import Film
from engines.long_video.finished import FinishedChunks
from engines.sampling.guidance import ClassifierFree


def film_of(family: Family, plan: ChunkPlan, window_slots: int = 5, **changes: Any) -> Film:
    """A film of 64 × 64 pixels in a few steps."""
    guidance = ClassifierFree(family.encode_prompt(["a fox"]), family.encode_prompt([""]), 3.0)
    geometry = family.geometry(64, 64, plan.padded_frames, 24)
    common = {"guidance_of": lambda slots: guidance, "steps": 2, "seed": 3}
    return Film(family, geometry, window_slots, plan, **{**common, **changes})


def make_film(
    family: Family, plan: ChunkPlan, store: FinishedChunks, after_chunk: Callable[[int], None] = lambda index: None
) -> Tensor:
    """The film's latents, chained; chunks that are finished are not made again."""
    film, chunks = film_of(family, plan), list[int]()
    film.on_progress = lambda progress: chunks.append(progress.chunk or 0)
    film.at_border = lambda: after_chunk(chunks[-1])
    return make_chain(film, store)
