"""Noise patterns and the loss. Shape legend: B batch, S slots, P tokens of a slot, N = S·P, C channels."""

from __future__ import annotations

import pytest
import torch

from engines.training.flow_batch import NoiseMix, add_noise, draw_sigmas, flow_loss

PLAIN = NoiseMix(first_frame_clean=0.0, per_frame=0.0)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_one_level_serves_all_tokens_unless_the_mix_says_otherwise() -> None:
    sigmas = draw_sigmas(4, 5, PLAIN, seeded())
    assert sigmas.shape == (4, 1)
    assert len(set(sigmas.flatten().tolist())) == 4


def test_the_first_frame_may_be_clean() -> None:
    sigmas = draw_sigmas(4, 5, NoiseMix(first_frame_clean=1.0, per_frame=0.0), seeded())
    assert sigmas.shape == (4, 5)
    assert (sigmas[:, 0] == 0).all()
    assert (sigmas[:, 1:] == sigmas[:, 1:2]).all()
    assert ((sigmas[:, 1:] > 0) & (sigmas[:, 1:] < 1)).all()
    assert len(set(sigmas[:, 1].tolist())) == 4


def test_each_slot_may_have_its_own_level() -> None:
    sigmas = draw_sigmas(3, 5, NoiseMix(first_frame_clean=0.0, per_frame=1.0), seeded())
    assert sigmas.shape == (3, 5)
    assert len(set(sigmas.flatten().tolist())) == 15


def test_a_picture_always_has_one_level() -> None:
    """A clean first frame of a single one would leave nothing to learn."""
    for seed in range(20):
        sigmas = draw_sigmas(3, 1, NoiseMix(first_frame_clean=0.5, per_frame=0.5), seeded(seed))
        assert sigmas.shape == (3, 1)
        assert (sigmas > 0).all()


def test_patterns_are_drawn_as_often_as_the_mix_says() -> None:
    generator, mix = seeded(), NoiseMix(first_frame_clean=0.2, per_frame=0.1)
    drawn = [draw_sigmas(2, 5, mix, generator) for _ in range(3000)]
    per_slot = [sigmas for sigmas in drawn if sigmas.shape[1] == 5]
    clean_first = sum(bool((sigmas[:, 0] == 0).all()) for sigmas in per_slot) / len(drawn)
    assert clean_first == pytest.approx(0.2, abs=0.03)
    assert len(per_slot) / len(drawn) - clean_first == pytest.approx(0.1, abs=0.025)


def test_levels_are_logit_normal() -> None:
    logits = draw_sigmas(20000, 1, NoiseMix(logit_mean=0.6), seeded()).logit()
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


def loss_parts() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Prediction [2, 4, 3], target, σ per token [2, 4, 1] (two tokens clean), coverage [2, 4]."""
    generator = seeded(3)
    predicted, target = (torch.randn(2, 4, 3, generator=generator) for _ in range(2))
    per_token = torch.tensor([[0.0, 0.5, 0.5, 0.5], [0.8, 0.8, 0.8, 0.0]])[..., None]
    return predicted, target, per_token, torch.rand(2, 4, generator=generator)


def test_clean_tokens_do_not_count() -> None:
    predicted, target, per_token, coverage = loss_parts()
    before = flow_loss(predicted, target, per_token, coverage, PLAIN)
    predicted[0, 0] += 100
    predicted[1, 3] -= 100
    predicted.requires_grad_()
    after = flow_loss(predicted, target, per_token, coverage, PLAIN)
    assert torch.equal(after, before)
    after.backward()
    assert predicted.grad is not None
    assert not predicted.grad[0, 0].any()
    assert not predicted.grad[1, 3].any()
    assert predicted.grad[0, 1:].abs().min() > 0


def test_without_object_weight_it_is_the_mean_over_noisy_tokens() -> None:
    predicted, target, per_token, coverage = loss_parts()
    noisy = per_token[..., 0] > 0
    expected = ((predicted - target) ** 2)[noisy].mean()
    loss = flow_loss(predicted, target, per_token, coverage, NoiseMix(object_weight=0.0))
    assert float(loss) == pytest.approx(float(expected))


def test_the_object_counts_more_where_its_place_is_certain() -> None:
    """Token weight 1 + w·coverage·(1 − σ)², by hand."""
    predicted, target = torch.zeros(1, 2, 1), torch.tensor([[[1.0], [0.0]]])
    coverage, mix = torch.tensor([[1.0, 0.0]]), NoiseMix(object_weight=3.0)
    for sigma in (0.1, 0.5, 1.0):
        weight = 1 + 3 * (1 - sigma) ** 2
        loss = flow_loss(predicted, target, torch.full((1, 2, 1), sigma), coverage, mix)
        assert float(loss) == pytest.approx(weight / (weight + 1))


def test_a_perfect_prediction_costs_nothing() -> None:
    _, target, per_token, coverage = loss_parts()
    assert float(flow_loss(target.clone(), target, per_token, coverage, NoiseMix())) == 0
