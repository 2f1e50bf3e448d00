"""The head's answers have the clip's shape, depend on the words and on what the model saw, and learn."""

from __future__ import annotations

import pytest
import torch

from engines.training.mask_head import mask_loss
from engines.word_selection.head import DETAIL, Found, WordMaskHead, places

GRID = (3, 2, 4)
TOKENS = 24


@pytest.fixture(scope="module")
def head() -> WordMaskHead:
    torch.manual_seed(0)
    return WordMaskHead(channels=8, blocks=(1,), feature_width=12, text_width=6, width=32, layers=2, heads=2).eval()


def asked(head: WordMaskHead, **changes: torch.Tensor) -> Found:
    generator = torch.Generator().manual_seed(1)
    given = {
        "latents": torch.randn(2, TOKENS, 8, generator=generator),
        "features": torch.randn(2, TOKENS, 12, generator=generator),
        "text": torch.randn(2, 5, 6, generator=generator),
        "text_mask": torch.tensor([[1.0] * 5, [1.0, 1.0, 1.0, 0.0, 0.0]]),
        **changes,
    }
    with torch.no_grad():
        return head(grid=GRID, **given)


class Unmixed(torch.nn.Module):
    def forward(self, tokens: torch.Tensor, *others: torch.Tensor, **masks: torch.Tensor) -> torch.Tensor:
        return tokens


def test_there_is_a_mask_for_every_frame(head: WordMaskHead) -> None:
    found = asked(head)
    assert found.masks.shape == (2, 9, 2 * DETAIL, 4 * DETAIL)
    assert found.present.shape == (2,)


def test_a_token_speaks_of_its_own_pixels_and_frames() -> None:
    torch.manual_seed(0)
    alone = WordMaskHead(channels=8, blocks=(), feature_width=4, text_width=6, width=32, layers=1, heads=2).eval()
    alone.mixing = Unmixed()
    latents, text, mask = torch.zeros(1, TOKENS, 8), torch.zeros(1, 1, 6), torch.ones(1, 1)
    with torch.no_grad():
        before = alone(latents, None, GRID, text, mask).masks
        latents[0, 1 * 8 + 1 * 4 + 2] = 1.0  # second slot, second row, third column
        changed = alone(latents, None, GRID, text, mask).masks != before
    where = torch.nonzero(changed[0])
    assert where.amin(0).tolist() == [1, DETAIL, 2 * DETAIL]
    assert where.amax(0).tolist() == [4, 2 * DETAIL - 1, 3 * DETAIL - 1]


def test_words_behind_the_mask_are_not_read(head: WordMaskHead) -> None:
    generator = torch.Generator().manual_seed(2)
    text = torch.randn(2, 5, 6, generator=generator)
    other = text.clone()
    other[1, 3:] += 1.0
    assert torch.equal(asked(head, text=text).masks, asked(head, text=other).masks)
    other[1, 2] += 1.0
    assert not torch.equal(asked(head, text=text).masks[1], asked(head, text=other).masks[1])


def test_what_the_model_saw_counts(head: WordMaskHead) -> None:
    assert not torch.equal(asked(head).masks, asked(head, features=torch.zeros(2, TOKENS, 12)).masks)


def test_places_are_all_different() -> None:
    made = places((5, 8, 6), 32)
    assert made.shape == (240, 32)
    assert len(torch.unique(made.round(decimals=4), dim=0)) == 240


def test_a_right_mask_costs_less_than_a_wrong_or_an_empty_one() -> None:
    true = torch.zeros(1, 2, 8, 8)
    true[..., 2:5, 2:5] = 1
    there = torch.ones(1)

    def cost(mask: torch.Tensor, present: float = 9.0) -> float:
        return float(mask_loss(Found(mask * 18 - 9, torch.tensor([present])), true, there))

    assert cost(true) < 0.05
    assert cost(true.flip(-1)) > 1
    assert cost(torch.zeros_like(true)) > 1
    assert cost(true, present=-9.0) > 1


def test_it_learns_which_of_two_things_is_meant() -> None:
    torch.manual_seed(0)
    head = WordMaskHead(channels=8, blocks=(), feature_width=4, text_width=6, width=32, layers=1, heads=2)
    optimiser = torch.optim.Adam(head.parameters(), 5e-3)
    latents = torch.zeros(2, TOKENS, 8)
    latents[:, 9, 0], latents[:, 14, 1] = 1.0, 1.0
    text = torch.eye(6)[:2, None]
    masks = torch.zeros(2, 9, 2 * DETAIL, 4 * DETAIL)
    masks[0, 1:5, :DETAIL, DETAIL : 2 * DETAIL] = 1
    masks[1, 1:5, DETAIL:, 2 * DETAIL : 3 * DETAIL] = 1
    for _ in range(150):
        loss = mask_loss(head(latents, None, GRID, text, torch.ones(2, 1)), masks, torch.ones(2))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        said = head(latents, None, GRID, text, torch.ones(2, 1)).masks > 0
    assert torch.equal(said, masks > 0.5)
