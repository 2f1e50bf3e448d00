"""The fast forward is the same function as diffusers', and trains the same way."""

from __future__ import annotations

import pytest
import torch
from diffusers import LTXVideoTransformer3DModel

from engines.backend.catalogue import load_catalogue
from engines.backend.families.ltx import LTXFamily
from engines.backend.registry import ModelRegistry
from engines.conditioning.given import Grid, coordinates
from engines.training.__main__ import DEFAULT_CONFIG
from engines.training.fast_forward import fast_forward, rotary_tables
from engines.training.run import Run

SLOTS, PER_SLOT = 3, 4


@pytest.fixture(scope="module")
def model() -> LTXVideoTransformer3DModel:
    """Two layers, width 48, and every weight away from its initial 0 or 1."""
    torch.manual_seed(0)
    model = LTXVideoTransformer3DModel(
        in_channels=6,
        out_channels=6,
        num_attention_heads=2,
        attention_head_dim=24,
        cross_attention_dim=48,
        num_layers=2,
        caption_channels=16,
    )
    model.rope.theta = 128.0
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.2 * torch.randn(parameter.shape))
    return model


@pytest.fixture(scope="module")
def inputs() -> dict[str, torch.Tensor]:
    """tokens [2, 12, 6], text [2, 5, 16] of which the second has three real tokens, coordinates [3, 12]."""
    generator = torch.Generator().manual_seed(1)
    times = torch.tensor([0.0, 1 / 24, 5 / 24])
    grid = torch.meshgrid(times, torch.tensor([0.0, 16.0]), torch.tensor([0.0, 16.0]), indexing="ij")
    return {
        "tokens": torch.randn(2, SLOTS * PER_SLOT, 6, generator=generator),
        "text": torch.randn(2, 5, 16, generator=generator),
        "mask": torch.tensor([[1.0, 1, 1, 1, 1], [1, 1, 1, 0, 0]]),
        "coordinates": torch.stack([axis.flatten() for axis in grid]),
    }


UNIFORM = torch.tensor([[0.7], [0.2]])
PER_FRAME = torch.tensor([[0.0, 0.7, 0.7], [0.1, 0.5, 0.9]])


def ours(model: LTXVideoTransformer3DModel, inputs: dict[str, torch.Tensor], sigmas: torch.Tensor) -> torch.Tensor:
    rotary = rotary_tables(model, inputs["coordinates"])
    return fast_forward(model, inputs["tokens"], sigmas, inputs["text"], inputs["mask"], rotary)


def theirs(model: LTXVideoTransformer3DModel, inputs: dict[str, torch.Tensor], sigmas: torch.Tensor) -> torch.Tensor:
    per_token = sigmas.repeat_interleave(PER_SLOT, dim=1) if sigmas.shape[1] > 1 else sigmas[:, 0]
    return model(
        hidden_states=inputs["tokens"],
        encoder_hidden_states=inputs["text"],
        timestep=per_token * 1000,
        encoder_attention_mask=inputs["mask"],
        video_coords=inputs["coordinates"][None].expand(2, -1, -1),
        return_dict=False,
    )[0]


@pytest.mark.parametrize("sigmas", [UNIFORM, PER_FRAME], ids=["uniform", "per slot"])
def test_it_equals_diffusers(
    sigmas: torch.Tensor, model: LTXVideoTransformer3DModel, inputs: dict[str, torch.Tensor]
) -> None:
    with torch.no_grad():
        assert (ours(model, inputs, sigmas) - theirs(model, inputs, sigmas)).abs().max() < 1e-5


@pytest.mark.parametrize("sigmas", [UNIFORM, PER_FRAME], ids=["uniform", "per slot"])
def test_gradients_equal_those_of_diffusers(
    sigmas: torch.Tensor, model: LTXVideoTransformer3DModel, inputs: dict[str, torch.Tensor]
) -> None:
    found = []
    for forward in (ours, theirs):
        model.zero_grad()
        forward(model, inputs, sigmas).square().mean().backward()
        found.append({name: parameter.grad.clone() for name, parameter in model.named_parameters()})
    for name, gradient in found[0].items():
        assert torch.allclose(gradient, found[1][name], rtol=1e-3, atol=1e-6), name


def test_masked_words_and_rotary_base_matter_as_they_should(
    model: LTXVideoTransformer3DModel, inputs: dict[str, torch.Tensor]
) -> None:
    """The comparison above would be empty if neither changed anything."""
    with torch.no_grad():
        usual = ours(model, inputs, UNIFORM)
        padded = dict(inputs, text=inputs["text"].clone())
        padded["text"][1, 3:] += 5
        assert torch.allclose(ours(model, padded, UNIFORM), usual, atol=1e-6)
        padded["text"][1, 2] += 5
        assert not torch.allclose(ours(model, padded, UNIFORM)[1], usual[1], atol=1e-4)
        model.rope.theta = 10000.0
        other = ours(model, inputs, UNIFORM)
        model.rope.theta = 128.0
        assert not torch.allclose(other, usual, atol=1e-4)


def test_tokens_begin_where_the_family_puts_them(tiny_diorama: ModelRegistry) -> None:
    """Training and rendering use the same coordinates and the same rotary base."""
    family = tiny_diorama.load("diorama")
    assert isinstance(family, LTXFamily)
    for frames, slots in ((1, 1), (17, 5)):
        geometry = family.geometry(96, 96, frames, 24)
        assert torch.allclose(coordinates(Grid(slots, 6, 6)), family.coordinates(geometry)[0])
    config = Run.open(DEFAULT_CONFIG.parent, DEFAULT_CONFIG).config
    assert config["rope_theta"] == load_catalogue()["diorama"].facts.rope_theta


def test_tokens_that_are_left_out_leave_the_others_as_the_mixing_blocks_made_them(
    model: LTXVideoTransformer3DModel, inputs: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    rotary = rotary_tables(model, inputs["coordinates"])
    whole = ours(model, inputs, PER_FRAME)
    keep = torch.tensor([0, 3, 4, 9])
    arguments = (model, inputs["tokens"], PER_FRAME, inputs["text"], inputs["mask"], rotary)
    # With no block after the mixing ones nothing is missed by those that stay.
    assert torch.allclose(fast_forward(*arguments, keep=keep), whole[:, keep], atol=1e-5)
    monkeypatch.setattr("engines.training.fast_forward.MIXING_BLOCKS", 1)
    assert torch.allclose(fast_forward(*arguments, keep=torch.arange(12)), whole, atol=1e-5)
    fewer = fast_forward(*arguments, keep=keep)
    assert fewer.shape == (2, 4, 6)
    assert not torch.allclose(fewer, whole[:, keep], atol=1e-3)
