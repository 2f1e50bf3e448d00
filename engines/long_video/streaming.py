"""A chain that sees its beginning, gone over once more with seams that wander: StreamingT2V (paper row 64).

Shape legend: S slots of the film, P cells of a slot, N = S·P tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engines.long_video.chained import make_chain
from engines.long_video.film import Film
from engines.long_video.finished import FinishedChunks, KeptSteps
from engines.long_video.side_by_side import cut_at_random, film_velocity, make_together

REFINED_FROM = 0.35


def make_streaming(
    film: Film, chunks: FinishedChunks, steps: KeptSteps, anchored: bool = True, refined_from: float = REFINED_FROM
) -> Tensor:
    """The film's latents, float32 [1, C, S, h, w] on the CPU.

    Args:
        refined_from: σ to which the whole film is noised and sampled again (SDEdit, arXiv:2108.01073), 0 … 1; 0 leaves
            the chain as it is.
    """
    chain = make_chain(film, chunks, anchored)
    if refined_from == 0 or len(film.plan.chunks) == 1:
        return chain
    levels = film.levels(film.plan.chunks[0].slots)
    levels = torch.cat([levels.new_tensor([refined_from]), levels[levels < refined_from]])
    clean = film.tokens(chain)
    noise = film.noise(film.plan.film_slots, len(film.plan.chunks))
    begun = (1 - refined_from) * clean + refined_from * noise
    return make_together(film, film_velocity(film, cut_at_random(film.plan, film.seed)), steps, begun, levels)
