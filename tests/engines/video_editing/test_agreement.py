"""Where two prompts differ is found from the answers alone, and what they agree on is held to the clip."""

from __future__ import annotations

import torch
from torch import Tensor

from engines.sampling.guidance import GuidedVelocity, one_by_one
from engines.sampling.site import Site
from engines.video_editing.methods.agreement import (
    DisagreementMask,
    FollowedWhereTheyDiffer,
    held_where_they_agree,
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


def test_the_mask_is_where_answers_differ_and_around() -> None:
    mask = DisagreementMask(GRID)
    for step in range(4):
        shares = mask.after(difference(step))
    assert shares.shape == (1, TOKENS, 1)
    assert shares[0, around_the_middle(), 0].min() > 0.9
    assert shares[0, ~around_the_middle(), 0].max() < 0.2


def test_where_most_of_the_picture_differs_that_is_all_followed() -> None:
    """Another place: the middle token differs as much as any, the thing in it does not, to its last cell."""
    most = torch.full((1, TOKENS, CHANNELS), 2.0)
    most[:, around_the_middle()] = 0.1
    shares = DisagreementMask(GRID).after(most)[0, :, 0]
    assert shares[~around_the_middle()].min() == 1
    assert shares[around_the_middle()].max() == 0


def test_answers_that_agree_everywhere_change_nothing() -> None:
    assert DisagreementMask(GRID).after(torch.zeros(1, TOKENS, CHANNELS)).abs().max() == 0


def asked(hold: float) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The velocity, the source's, the target's and that of no words, and the straight one to the clip."""
    x, clean, source, nothing = (
        torch.randn(1, TOKENS, CHANNELS, generator=torch.Generator().manual_seed(row)) for row in range(4)
    )
    target = source + difference(3)
    guidance = FollowedWhereTheyDiffer(source, target, nothing, GRID, SCALE)
    asked = GuidedVelocity(one_by_one(lambda x, sigmas, prompt, at: prompt), guidance)  # prompts that are answers
    velocity = held_where_they_agree(asked, guidance, clean, hold)
    sigma = 0.8
    made = velocity(x, torch.full((1, TOKENS), sigma), Site(0, 0, sigma))
    return made, source, target, nothing, (x - clean) / sigma


def test_what_differs_follows_the_new_prompt_and_the_rest_is_drawn_to_the_clip() -> None:
    made, source, target, nothing, straight = asked(hold=1.0)
    guided = nothing + SCALE * (target - nothing)
    assert torch.allclose(made[:, MIDDLE], guided[:, MIDDLE], atol=1e-5)
    mask = DisagreementMask(GRID)
    agreed = mask.after(target - source)[0, :, 0] == 0
    assert agreed.sum() > 20
    assert torch.allclose(made[:, agreed], straight[:, agreed], atol=1e-5)


def test_not_held_it_follows_the_old_prompt_there() -> None:
    made, source, target, *_ = asked(hold=0.0)
    agreed = DisagreementMask(GRID).after(target - source)[0, :, 0] == 0
    assert torch.allclose(made[:, agreed], source[:, agreed], atol=1e-5)
