"""A family's velocity under guidance: what the sampling loop is given.

Shapes: x, v [B, N, D]; sigmas [B, N]; coordinates [1, 3, N].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from engines.backend.families.base import Family, PromptEmbedding, Tokens, joined
from engines.backend.geometry import LatentGeometry
from engines.sampling.guidance import Branch, Guidance, GuidedVelocity, one_by_one
from engines.sampling.site import Site

# Above this many tokens the guidance branches are asked one after the other: batching them would only cost memory.
JOINT_TOKENS = 4096


def rows_at_once(tokens: int, branches: int) -> int:
    """How many branches of the guidance are asked in one call."""
    return branches if tokens <= JOINT_TOKENS else 1


def guided_velocity(
    family: Family,
    geometry: LatentGeometry,
    guidance: Guidance[PromptEmbedding],
    coordinates: Tensor | None = None,
    beside: Tensor | None = None,
) -> GuidedVelocity[PromptEmbedding]:
    """The velocity for `sample`: the model asked for each branch of the guidance, and the answers combined.

    Args:
        coordinates: [1, 3, M] of tokens beyond the geometry's own; None for just those.
        beside: [1, N, E], what is given as channels beside the latents (Family.beside).
    """
    coordinates = (family.coordinates(geometry) if coordinates is None else coordinates).to(family.device)

    def joint(x: Tensor, sigmas: Tensor, branches: Sequence[Branch[PromptEmbedding]], at: Site) -> dict[str, Tensor]:
        return joint_velocities(family, Tokens(x, coordinates, geometry.grid, beside), sigmas, branches, at)

    def single(x: Tensor, sigmas: Tensor, prompt: PromptEmbedding, at: Site) -> Tensor:
        return family.velocity(Tokens(x, coordinates, geometry.grid, beside), sigmas, prompt, at)

    return GuidedVelocity(joint if rows_at_once(coordinates.shape[-1], 2) > 1 else one_by_one(single), guidance)


def joint_velocities(
    family: Family,
    tokens: Tokens,
    sigmas: Tensor,
    branches: Sequence[Branch[PromptEmbedding]],
    at: Site,
) -> dict[str, Tensor]:
    """All guidance branches in one batched model call: about a tenth faster than one by one, for more memory.

    Args:
        tokens, sigmas: x [B, N, D] with coordinates [1, 3, N]; [B, N]; the same for every branch.
        branches: Their prompts have B rows each and equal lengths.
        at: Its branch becomes the names joined with "+".
    """
    if not branches:
        return {}
    x, count = tokens.values, len(branches)
    prompt = joined([branch.prompt for branch in branches])
    places = tokens.coordinates.expand(count * len(x), -1, -1)
    beside = None if tokens.beside is None else tokens.beside.repeat(count, 1, 1)
    repeated = Tokens(x.repeat(count, 1, 1), places, tokens.grid, beside)
    names = [branch.name for branch in branches]
    v = family.velocity(repeated, sigmas.repeat(count, 1), prompt, replace(at, branch="+".join(names)))
    return dict(zip(names, v.chunk(count), strict=True))
