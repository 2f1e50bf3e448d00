"""Tokens at several levels, shown to a model that knows only one."""

from __future__ import annotations

import pytest
import torch

from engines.sampling.one_level import at_one_level
from engines.sampling.site import Site

HERE = Site(0, 0, 0.6)


class Watched:
    """A velocity that remembers what it was shown."""

    def __call__(self, x: torch.Tensor, sigmas: torch.Tensor, at: Site) -> torch.Tensor:
        self.x, self.sigmas = x, sigmas
        return x * 0


def shown(x: torch.Tensor, sigmas: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    watched = Watched()
    at_one_level(watched, noise)(x, sigmas, HERE)
    return watched.x, watched.sigmas


def test_what_is_given_is_noised_to_the_others_level() -> None:
    x, noise = torch.randn(1, 3, 4), torch.randn(1, 3, 4)
    seen, levels = shown(x, torch.tensor([[0.0, 0.6, 0.6]]), noise)
    assert torch.equal(levels, torch.full((1, 3), 0.6))
    torch.testing.assert_close(seen[:, 0], 0.4 * x[:, 0] + 0.6 * noise[:, 0])
    assert torch.equal(seen[:, 1:], x[:, 1:])


@pytest.mark.parametrize("low", [0.1, 0.5])
def test_a_lower_level_gets_what_it_lacks(low: float) -> None:
    generator = torch.Generator().manual_seed(0)
    clean, first, fresh = (torch.randn(1, 2, 20000, generator=generator) for _ in range(3))
    levels = torch.tensor([[low, 0.8]])
    x = (1 - levels[..., None]) * clean + levels[..., None] * first
    seen, _ = shown(x, levels, fresh)
    rest = seen[0, 0] - 0.2 * clean[0, 0]
    assert float(rest.std()) == pytest.approx(0.8, abs=0.02)


def test_pure_noise_beside_what_is_given_shows_nothing_of_it() -> None:
    x, noise = torch.ones(1, 2, 3), torch.full((1, 2, 3), 5.0)
    seen, _ = shown(x, torch.tensor([[0.0, 1.0]]), noise)
    assert torch.equal(seen, torch.tensor([[[5.0] * 3, [1.0] * 3]]))


def test_levels_that_agree_change_nothing() -> None:
    x = torch.randn(2, 3, 4)
    seen, levels = shown(x, torch.tensor([[0.3] * 3, [1.0] * 3]), torch.randn(2, 3, 4))
    assert torch.equal(seen, x)
    assert levels[1, 0] == 1
