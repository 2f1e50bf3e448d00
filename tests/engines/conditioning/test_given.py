"""What is given in each mode, where tokens stand in time, and which of them are clean."""

from __future__ import annotations

import pytest
import torch

from engines.conditioning.given import MODES, Grid, coordinates, draw_given, nothing, token_sigmas

GRID = Grid(5, 3, 2)
FRAMES = (5, 9, 16)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_single_modes_give_what_they_say() -> None:
    first = draw_given("first frame", GRID, FRAMES, seeded())
    assert first.tokens[0].all()
    assert not first.tokens[1:].any()
    last = draw_given("last frame", GRID, FRAMES, seeded())
    assert (last.tokens.any().item(), last.keyframes) == (False, (16,))
    both = draw_given("first and last frame", GRID, FRAMES, seeded())
    assert both.tokens[0].all()
    assert both.keyframes == (16,)
    assert not draw_given("nothing", GRID, FRAMES, seeded()).is_anything


@pytest.mark.parametrize("mode", MODES)
def test_something_is_always_left_to_make_and_modes_differ_by_chance(mode: str) -> None:
    seen = set()
    for seed in range(40):
        given = draw_given(mode, GRID, FRAMES, seeded(seed))  # type: ignore[arg-type]
        assert not given.tokens.all()
        assert given.is_anything or mode in ("nothing", "region")
        assert set(given.keyframes) <= set(FRAMES)
        assert list(given.keyframes) == sorted(given.keyframes)
        seen.add((given.tokens.numpy().tobytes(), given.keyframes))
    assert (len(seen) > 3) == (mode in ("keyframes", "beginning", "region"))


def test_a_beginning_is_whole_slots_from_the_start() -> None:
    for seed in range(20):
        by_slot = draw_given("beginning", GRID, FRAMES, seeded(seed)).tokens.flatten(1)
        count = int(by_slot.all(1).sum())
        assert 1 <= count < GRID.slots
        assert by_slot[:count].all()
        assert not by_slot[count:].any()


def test_a_window_of_a_film_has_no_first_frame() -> None:
    window = Grid(3, 3, 2, first_slot=2)
    with pytest.raises(ValueError, match="first frame"):
        draw_given("first frame", window, FRAMES, seeded())
    assert not any(draw_given("keyframes", window, FRAMES, seeded(seed)).tokens.any() for seed in range(10))


def test_times_are_those_of_diffusers_condition_pipeline() -> None:
    """LTXConditionPipeline._prepare_video_ids: latent times · 4 + 1 − 4, not below 0, a keyframe's own frame added."""
    found = coordinates(GRID, (9,))
    assert found.shape == (3, 36)
    times = (found[0].unflatten(0, (6, 6))[:, 0] * 24).round().int().tolist()
    assert times == [0, 1, 5, 9, 13, 9]
    assert found[1, :6].tolist() == [0, 0, 16, 16, 32, 32]
    assert found[2, :6].tolist() == [0, 16, 0, 16, 0, 16]
    window = coordinates(Grid(2, 3, 2, first_slot=3))
    assert torch.equal(window, coordinates(GRID)[:, 18:30])


def test_what_is_given_is_clean_or_a_little_noisy() -> None:
    given = draw_given("first and last frame", GRID, FRAMES, seeded())
    sigmas = token_sigmas(given, torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5]), noise=0.05)
    assert sigmas.shape == (36,)
    assert sigmas.unflatten(0, (6, 6))[:, 0].tolist() == pytest.approx([0.05, 0.2, 0.3, 0.4, 0.5, 0.05])
    assert token_sigmas(nothing(GRID), torch.tensor(0.7)).unique().tolist() == pytest.approx([0.7])
