"""Where two prompts differ is found from the answers alone, and what they agree on is held to the clip."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engines.sampling.guidance import GuidedVelocity, one_by_one
from engines.sampling.site import Site
from engines.video_editing.methods.agreement import (
    DisagreementMask,
    FollowedWhereTheyDiffer,
    held_where_they_agree,
    watched,
)

GRID = (2, 5, 5)
TOKENS, CHANNELS, SCALE = 50, 4, 3.0
MIDDLE = 12  # the middle cell of the first slot


def difference(seed: int) -> Tensor:
    """A little everywhere, much in one cell."""
    generator = torch.Generator().manual_seed(seed)
    made = 0.1 + 0.02 * torch.rand(1, TOKENS, CHANNELS, generator=generator)
    made[:, MIDDLE] = 2.0
    return made


def around_the_middle() -> Tensor:
    """bool [N]: the cell and its eight neighbours, in its slot alone."""
    cells = torch.zeros(GRID, dtype=torch.bool)
    cells[0, 1:4, 1:4] = True
    return cells.flatten()


def mask_of(*differences: Tensor) -> Tensor:
    mask = DisagreementMask(GRID)
    for one in differences:
        mask.gather(one)
    return mask.shares()


def test_the_mask_is_where_answers_differ_and_around() -> None:
    shares = mask_of(*(difference(step) for step in range(4)))
    assert shares.shape == (1, TOKENS, 1)
    assert shares[0, around_the_middle(), 0].min() > 0.9
    assert shares[0, ~around_the_middle(), 0].max() < 0.2


def test_where_most_of_the_picture_differs_that_is_all_followed() -> None:
    """Another place: the middle token differs as much as any, the thing in it does not, to its last cell."""
    most = torch.full((1, TOKENS, CHANNELS), 2.0)
    most[:, around_the_middle()] = 0.1
    shares = mask_of(most)[0, :, 0]
    assert shares[~around_the_middle()].min() == 1
    assert shares[around_the_middle()].max() == 0


def test_answers_that_agree_everywhere_change_nothing() -> None:
    assert mask_of(torch.zeros(1, TOKENS, CHANNELS)).abs().max() == 0


def test_a_mask_is_gathered_where_levels_tell_and_only_there() -> None:
    asked: list[float] = []

    def of_target(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        asked.append(at.sigma)
        return x + difference(1)

    mask = DisagreementMask(GRID)
    velocity = watched(lambda x, sigmas, at: x, of_target, mask)
    assert mask.is_empty
    with pytest.raises(RuntimeError, match="nothing was gathered"):
        mask.shares()
    x = torch.zeros(1, TOKENS, CHANNELS)
    for sigma in (0.1, 0.49, 0.5, 0.7, 0.88, 0.9, 1.0):
        assert velocity(x, torch.full((1, TOKENS), sigma), Site(0, 0, sigma)) is x, "the source's own way"
    assert asked == [0.5, 0.7, 0.88]
    assert torch.equal(mask.shares(), mask_of(difference(1)))
    assert DisagreementMask(GRID, highest=0.6).tells(0.3), "of a clip that is taken less far up"


def asked(hold: float) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The velocity, the source's, the target's and that of no words, the straight one to the clip, and m."""
    x, clean, source, nothing = (
        torch.randn(1, TOKENS, CHANNELS, generator=torch.Generator().manual_seed(row)) for row in range(4)
    )
    target, differs = source + difference(3), mask_of(difference(3))
    guidance = FollowedWhereTheyDiffer(source, target, nothing, differs, SCALE)
    answers = GuidedVelocity(one_by_one(lambda x, sigmas, prompt, at: prompt), guidance)  # prompts that are answers
    velocity = held_where_they_agree(answers, differs, clean, hold)
    sigma = 0.8
    made = velocity(x, torch.full((1, TOKENS), sigma), Site(0, 0, sigma))
    return made, source, target, nothing, (x - clean) / sigma, differs[0, :, 0]


def test_what_differs_follows_the_new_prompt_and_the_rest_is_drawn_to_the_clip() -> None:
    made, _, target, nothing, straight, differs = asked(hold=1.0)
    guided = nothing + SCALE * (target - nothing)
    assert torch.allclose(made[:, MIDDLE], guided[:, MIDDLE], atol=1e-5)
    agreed = differs == 0
    assert agreed.sum() > 20
    assert torch.allclose(made[:, agreed], straight[:, agreed], atol=1e-5)


def test_not_held_it_follows_the_old_prompt_there() -> None:
    made, source, *_, differs = asked(hold=0.0)
    assert torch.allclose(made[:, differs == 0], source[:, differs == 0], atol=1e-5)
