"""What keeps a picture alive or holds it: from known velocities comes what the papers' equations say."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engines.image_animation.motion import (
    ANCHOR,
    LEAST_START,
    RENORMALISED,
    analytic_start,
    anchored,
    jointly_guided,
    noisily_given,
    start_level,
    unseen,
)
from engines.sampling.loop import sample
from engines.sampling.schedules import uniform
from engines.sampling.site import Site
from engines.sampling.solvers import Euler

AT = Site(0, 0, 0.8)
GIVEN = torch.tensor([True, True, False, False, False, False])
SIGMAS = torch.where(GIVEN, 0.0, 0.8)[None]


def drawn(seed: int, tokens: int = 6) -> Tensor:
    return torch.randn(1, tokens, 4, generator=torch.Generator().manual_seed(seed))


def test_joint_guidance_goes_beyond_both_and_keeps_their_length() -> None:
    both, nothing = drawn(1), drawn(2)
    guided = jointly_guided(lambda *_: both, lambda *_: nothing, 3.0)(drawn(3), SIGMAS, AT)
    plain = nothing + 3 * (both - nothing)
    assert torch.nn.functional.cosine_similarity(guided, plain, dim=-1).min() > 1 - 1e-5
    wanted = RENORMALISED * both.norm(dim=-1) + (1 - RENORMALISED) * plain.norm(dim=-1)
    torch.testing.assert_close(guided.norm(dim=-1), wanted)
    once = jointly_guided(lambda *_: both, lambda *_: nothing, 1.0)(drawn(3), SIGMAS, AT)
    torch.testing.assert_close(once, both)


def test_what_is_unseen_looks_like_the_rest() -> None:
    x, noise, seen = drawn(1), drawn(2), list[tuple[Tensor, Tensor]]()
    unseen(lambda x, sigmas, at: seen.append((x, sigmas)) or x, GIVEN, noise)(x, SIGMAS, AT)
    shown, levels = seen[0]
    assert torch.equal(levels, torch.full((1, 6), 0.8))
    torch.testing.assert_close(shown[:, GIVEN], (0.2 * x + 0.8 * noise)[:, GIVEN])
    assert torch.equal(shown[:, ~GIVEN], x[:, ~GIVEN])


def test_what_is_given_is_shown_noisily_at_high_levels_only() -> None:
    x, noise, seen = drawn(1), drawn(2), list[tuple[Tensor, Tensor]]()
    velocity = noisily_given(lambda x, sigmas, at: seen.append((x, sigmas)) or x, GIVEN, noise, 1.0)
    for level in (1.0, 0.3):
        velocity(x, torch.where(GIVEN, 0.0, level)[None], AT)
    high, low = (levels[0, 0] for _, levels in seen)
    assert float(high) == pytest.approx(0.5)
    assert float(low) < 0.002
    torch.testing.assert_close(seen[0][0][:, GIVEN], (0.5 * x + 0.5 * noise)[:, GIVEN])
    assert torch.equal(seen[0][1][0, ~GIVEN], torch.ones(4))


def test_an_anchor_draws_the_estimate_to_the_still_clip_and_less_with_every_slot() -> None:
    x, still, own = drawn(1), drawn(2), drawn(3)
    sigmas = torch.full((1, 6), 0.5)
    made = anchored(lambda *_: own, still, slots=3, share=1.0)(x, sigmas, AT)
    before, after = x - 0.5 * own, x - 0.5 * made
    share = ((after - before) / (still - before)).mean(-1)[0]
    torch.testing.assert_close(share, ANCHOR * torch.tensor([1, 1, 2 / 3, 2 / 3, 1 / 3, 1 / 3]))


@pytest.mark.parametrize("level", [0.0, 1e-3, 1.0])
def test_an_anchor_lets_go_at_both_ends(level: float) -> None:
    x, still, own = drawn(1), drawn(2), drawn(3)
    made = anchored(lambda *_: own, still, slots=3, share=1.0)(x, torch.full((1, 6), level), AT)
    torch.testing.assert_close(made, own)


def test_tokens_beside_the_grid_are_not_anchored() -> None:
    own = drawn(3, 8)
    made = anchored(lambda *_: own, drawn(2), slots=3, share=1.0)(drawn(1, 8), torch.full((1, 8), 0.5), AT)
    assert torch.equal(made[:, 6:], own[:, 6:])
    assert not torch.equal(made[:, :6], own[:, :6])


def test_clips_of_known_spread_are_met_by_an_analytic_start() -> None:
    """Of data N(0, 1) the exact velocity is known: from the start below 1 the end has its spread, from plain noise less
    exactly so."""

    def exact(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        level = sigmas[..., None]
        return x * (2 * level - 1) / ((1 - level) ** 2 + level**2)

    noise = torch.randn(1, 4000, 4, generator=torch.Generator().manual_seed(1))
    levels = uniform(torch.linspace(LEAST_START, 0, 400), 4000)
    ends = [sample(exact, start, levels, Euler()).std() for start in (analytic_start(noise, LEAST_START), noise)]
    assert abs(float(ends[0]) - float(noise.std())) < 0.01
    assert abs(float(ends[1]) - float(noise.std())) > 0.08


def test_movement_says_where_a_clip_begins() -> None:
    assert start_level(-1) == start_level(0) == 1
    assert start_level(1) == pytest.approx(LEAST_START)
    with pytest.raises(ValueError, match=r"level = 0\.8"):
        analytic_start(drawn(1), 0.8)
