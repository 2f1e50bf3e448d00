"""Noise patterns and the loss. Shape legend: B batch, S slots, P tokens of a slot, N = S·P, C channels."""

from __future__ import annotations

import pytest
import torch

from engines.conditioning.given import Grid, Mode
from engines.training.flow_batch import (
    NoiseMix,
    Pattern,
    add_noise,
    draw_pattern,
    draw_sigmas,
    flow_loss,
    kept_tokens,
)

GRID = Grid(5, 3, 2)
FRAMES = (5, 9, 16)
PLAIN = NoiseMix(per_frame=0.0)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(
    mode: Mode, per_frame: float = 0.0, grid: Grid = GRID, seed: int = 0, clean: float = 0.0
) -> tuple[Pattern, torch.Tensor]:
    """A pattern of this mode and its levels for 4 samples; what is given is clean in so many of the batches."""
    mix = NoiseMix({mode: 1.0}, per_frame=per_frame, given_clean=clean)
    pattern = draw_pattern(grid, FRAMES, mix, seeded(seed))
    return pattern, draw_sigmas(pattern, 4, mix, seeded(seed))


def test_one_level_serves_all_tokens_unless_the_mix_says_otherwise() -> None:
    pattern, sigmas = drawn("nothing")
    assert sigmas.shape == (4, 1)
    assert len(set(sigmas.flatten().tolist())) == 4
    assert pattern.made.all()


def test_each_slot_may_have_its_own_level() -> None:
    _, sigmas = drawn("nothing", per_frame=1.0)
    assert sigmas.shape == (4, 5)
    assert len(set(sigmas.flatten().tolist())) == 20


def test_what_is_given_has_a_level_of_its_own_and_does_not_count() -> None:
    pattern, sigmas = drawn("first and last frame")
    assert sigmas.shape == (4, 6)
    assert torch.equal(sigmas[:, 0], sigmas[:, 5])
    assert 0 < sigmas[:, 0].min() < sigmas[:, 0].max() < 1 / 3, "β/(1 + β) with β below ½"
    assert (sigmas[:, 1:5] == sigmas[:, 1:2]).all()
    assert pattern.made.tolist() == [False] * 6 + [True] * 24 + [False] * 6
    assert pattern.coordinates.shape == (3, 36)


def test_a_region_has_levels_token_by_token() -> None:
    pattern, sigmas = next(one for one in (drawn("region", seed=seed) for seed in range(20)) if one[1].shape[1] == 30)
    given = pattern.given.tokens.flatten()
    assert all(len(set(row[given].tolist())) == 1 and 0 < row[given][0] < 1 / 3 for row in sigmas)
    assert torch.equal(pattern.made, ~given)
    assert all(len(set(row[~given].tolist())) == 1 for row in sigmas)


def test_what_is_given_is_clean_as_often_as_the_mix_says() -> None:
    clean = [bool((drawn("first frame", seed=seed, clean=0.3)[1][:, 0] == 0).all()) for seed in range(300)]
    assert sum(clean) / 300 == pytest.approx(0.3, abs=0.08)


def test_what_is_given_is_noisier_where_the_rest_is() -> None:
    """Row 42: a picture is copied where the rest is almost noise, so that is where it is blurred most."""
    noise = {}
    for logit in (-3.0, 4.0):
        mix = NoiseMix({"first frame": 1.0}, 0.0, given_noise=0.5, given_clean=0.0, logit_mean=logit)
        noise[logit] = draw_sigmas(draw_pattern(GRID, FRAMES, mix, seeded()), 2000, mix, seeded())[:, 0].mean()
    # sigmoid(N(∓1, 1)) is 0.30 and 0.70 in the mean.
    assert float(noise[-3.0]) == pytest.approx(0.13, abs=0.015)
    assert float(noise[4.0]) == pytest.approx(0.245, abs=0.02)


def test_deferred_masking_keeps_what_is_given_and_a_share_of_the_rest() -> None:
    pattern, _ = drawn("first and last frame")
    kept = kept_tokens(pattern, 0.5, seeded())
    assert kept is not None
    assert kept.tolist() == sorted(set(kept.tolist()))
    given = (~pattern.made).nonzero()[:, 0].tolist()
    assert set(given) <= set(kept.tolist())
    assert len(kept) == len(given) + 12
    other = kept_tokens(pattern, 0.5, seeded(1))
    assert other is not None
    assert not torch.equal(kept, other)
    fewest = kept_tokens(pattern, 0.0, seeded())
    assert fewest is not None
    assert int(pattern.made[fewest].sum()) == 1, "a loss over nothing would be no number"
    assert kept_tokens(pattern, 1.0, seeded()) is None


def test_a_picture_gives_nothing() -> None:
    """A clean frame of a single one would leave nothing to learn."""
    for seed in range(20):
        pattern, sigmas = drawn("first frame", per_frame=1.0, grid=Grid(1, 3, 2), seed=seed)
        assert pattern.made.all()
        assert sigmas.shape == (4, 1)


def test_modes_are_drawn_as_often_as_the_mix_says() -> None:
    generator, mix = seeded(), NoiseMix({"nothing": 0.6, "first frame": 0.3, "last frame": 0.1}, per_frame=0.2)
    patterns = [draw_pattern(GRID, FRAMES, mix, generator) for _ in range(2000)]
    first = sum(bool(one.given.tokens[0].all()) for one in patterns) / 2000
    last = sum(one.given.keyframes == (16,) for one in patterns) / 2000
    assert first == pytest.approx(0.3, abs=0.03)
    assert last == pytest.approx(0.1, abs=0.025)
    assert sum(one.per_frame for one in patterns) / 2000 == pytest.approx(0.2, abs=0.03)


def test_a_window_gives_only_what_it_holds() -> None:
    window = Grid(3, 3, 2, first_slot=1)
    mix = NoiseMix({"first frame": 0.5, "last frame": 0.5})
    patterns = [draw_pattern(window, (5, 9), mix, seeded(seed)) for seed in range(20)]
    assert not any(one.given.is_anything for one in patterns), "frame 12 ends the window, and is not encoded alone"


def test_shares_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match=r"add up to 0\.5"):
        NoiseMix({"nothing": 0.5})


def test_levels_are_logit_normal() -> None:
    mix = NoiseMix(logit_mean=0.6, per_frame=0.0)
    logits = draw_sigmas(draw_pattern(GRID, FRAMES, mix, seeded()), 20000, mix, seeded()).logit()
    assert float(logits.mean()) == pytest.approx(0.6, abs=0.03)
    assert float(logits.std()) == pytest.approx(1, abs=0.03)


def test_noise_follows_the_flow_convention() -> None:
    """x_σ = (1 − σ)·x₀ + σ·ε and v = ε − x₀, so x_σ − σ·v = x₀ and x_σ + (1 − σ)·v = ε."""
    clean = torch.randn(2, 6, 4, generator=seeded())
    sigmas = torch.tensor([[0.0, 0.3, 1.0], [0.5, 0.9, 0.0]])
    noisy, velocity, per_token = add_noise(clean, sigmas, seeded(1))
    assert per_token[..., 0].tolist()[0] == pytest.approx([0, 0, 0.3, 0.3, 1, 1])
    assert torch.allclose(noisy - per_token * velocity, clean, atol=1e-6)
    noise = noisy + (1 - per_token) * velocity
    assert torch.allclose(noise, torch.randn(clean.shape, generator=seeded(1)), atol=1e-6)
    assert torch.equal(noisy[0, :2], clean[0, :2])
    assert torch.equal(noisy[1, 4:], clean[1, 4:])


def test_one_level_spreads_over_all_tokens() -> None:
    clean = torch.randn(2, 6, 4, generator=seeded())
    _, _, per_token = add_noise(clean, torch.tensor([[0.2], [0.7]]), seeded(1))
    assert torch.equal(per_token[..., 0], torch.tensor([[0.2], [0.7]]).expand(2, 6))


MADE = torch.tensor([False, True, True, True])


def loss_parts() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Prediction [2, 4, 3], target, σ per token [2, 4, 1] (the first token given), coverage [2, 4]."""
    generator = seeded(3)
    predicted, target = (torch.randn(2, 4, 3, generator=generator) for _ in range(2))
    per_token = torch.tensor([[0.0, 0.5, 0.5, 0.5], [0.1, 0.8, 0.8, 0.8]])[..., None]
    return predicted, target, per_token, torch.rand(2, 4, generator=generator)


def test_given_tokens_do_not_count() -> None:
    predicted, target, per_token, coverage = loss_parts()
    before = flow_loss(predicted, target, per_token, coverage, MADE, PLAIN)
    predicted[:, 0] += 100
    predicted.requires_grad_()
    after = flow_loss(predicted, target, per_token, coverage, MADE, PLAIN)
    assert torch.equal(after, before)
    after.backward()
    assert predicted.grad is not None
    assert not predicted.grad[:, 0].any()
    assert predicted.grad[:, 1:].abs().min() > 0


def test_without_object_weight_it_is_the_mean_over_what_is_made() -> None:
    predicted, target, per_token, coverage = loss_parts()
    expected = ((predicted - target) ** 2)[:, MADE].mean()
    loss = flow_loss(predicted, target, per_token, coverage, MADE, NoiseMix(object_weight=0.0))
    assert float(loss) == pytest.approx(float(expected))


def test_the_object_counts_more_where_its_place_is_certain() -> None:
    """Token weight 1 + w·coverage·(1 − σ)², by hand."""
    predicted, target = torch.zeros(1, 2, 1), torch.tensor([[[1.0], [0.0]]])
    coverage, mix = torch.tensor([[1.0, 0.0]]), NoiseMix(object_weight=3.0)
    for sigma in (0.1, 0.5, 1.0):
        weight = 1 + 3 * (1 - sigma) ** 2
        loss = flow_loss(predicted, target, torch.full((1, 2, 1), sigma), coverage, torch.ones(2).bool(), mix)
        assert float(loss) == pytest.approx(weight / (weight + 1))


def test_a_perfect_prediction_costs_nothing() -> None:
    _, target, per_token, coverage = loss_parts()
    assert float(flow_loss(target.clone(), target, per_token, coverage, MADE, NoiseMix())) == 0
