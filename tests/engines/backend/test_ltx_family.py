"""The LTX family: bundled kind (our autoencoder, MiniLM) and hub kind (conv autoencoder, T5)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engines.backend.families.base import Tokens
from engines.backend.families.ltx import LTXFamily
from engines.backend.previewer import fit_linear_preview, to_uint8
from engines.backend.registry import ModelRegistry
from engines.sampling.noise import gaussian_noise
from engines.sampling.site import Site

HERE = Site(0, 0, 0.5)


@pytest.fixture
def diorama(tiny_diorama: ModelRegistry) -> LTXFamily:
    family = tiny_diorama.load("diorama")
    assert isinstance(family, LTXFamily)
    return family


@pytest.fixture
def ltx(tiny_ltx: ModelRegistry) -> LTXFamily:
    family = tiny_ltx.load("ltx_video")
    assert isinstance(family, LTXFamily)
    return family


def test_bundled_coordinates_are_seconds_and_pixels(diorama: LTXFamily) -> None:
    geometry = diorama.geometry(64, 96, 17, 24)
    coordinates = diorama.coordinates(geometry).unflatten(2, (5, 4, 6))[0]
    assert (coordinates[0, :, 0, 0] * 24).tolist() == pytest.approx([0, 1, 5, 9, 13])
    assert coordinates[1, 0, :, 0].tolist() == [0, 16, 32, 48]
    assert coordinates[2, 0, 0].tolist() == [0, 16, 32, 48, 64, 80]
    assert diorama.transformer.rope.theta == 128


def test_pack_and_unpack_are_inverse_and_frame_major(diorama: LTXFamily) -> None:
    geometry = diorama.geometry(64, 96, 17, 24)
    latents = gaussian_noise((2, 8, 5, 4, 6), seed=0)
    tokens = diorama.pack(latents, geometry)
    assert tokens.values.shape == (2, 120, 8)
    assert tokens.coordinates.shape == (2, 3, 120)
    assert torch.equal(tokens.values[1, 24 + 6 + 2], latents[1, :, 1, 1, 2])
    assert torch.equal(diorama.unpack(tokens.values, geometry), latents)


@pytest.mark.parametrize("family_name", ["diorama", "ltx"])
@pytest.mark.parametrize("frames", [1, 17])
def test_shapes_through_encode_preview_decode(family_name: str, frames: int, request: pytest.FixtureRequest) -> None:
    family: LTXFamily = request.getfixturevalue(family_name)
    clip = np.random.default_rng(0).integers(0, 256, (frames, 64, 96, 3), dtype=np.uint8)
    geometry = family.geometry(64, 96, frames, 24)
    latents = family.encode(clip)
    grid = (geometry.latent_frames, geometry.latent_height, geometry.latent_width)
    assert latents.shape == (1, 8, *grid)
    assert latents.dtype == torch.float32
    decoded = np.concatenate(list(family.decode(latents)))
    assert decoded.shape == clip.shape
    assert decoded.dtype == np.uint8
    preview = family.preview(latents)
    assert preview.dtype == np.uint8
    assert preview.shape[1:] == (64, 96, 3)


def test_encode_normalises_and_decode_undoes_it(diorama: LTXFamily) -> None:
    """What the linear code can hold comes back: encode ∘ decode is the identity on latents."""
    latents = 0.2 * gaussian_noise((1, 8, 3, 4, 4), seed=1)
    again = diorama.encode(next(diorama.decode(latents)))
    # Rounding to 8 bits and the first slot (one frame for four) are what is lost.
    assert (again - latents)[:, :, 1:].abs().max() < 0.1
    raw = diorama.codec.denormalised(torch.zeros(1, 8, 1, 1, 1))
    assert raw.flatten().tolist() == pytest.approx([0.1] * 8)


def test_linear_preview_is_exact_for_a_linear_decoder(diorama: LTXFamily) -> None:
    """Our autoencoder without its correction is linear, so the fitted map must give its mean colour per cell."""
    fitted = fit_linear_preview(diorama.codec.decode_pixels, 8, torch.device("cpu"))
    latents = gaussian_noise((1, 8, 2, 6, 6), seed=7)
    pixels = diorama.codec.decode_pixels(latents)[0, :, 1:]
    wanted = to_uint8(pixels.mean(1).unflatten(1, (6, 16)).unflatten(3, (6, 16)).mean((2, 4)).permute(1, 2, 0))
    assert abs(fitted(latents, 6, 6)[1].astype(int) - wanted).max() <= 1


def test_levels_per_token_reach_the_model(diorama: LTXFamily) -> None:
    geometry = diorama.geometry(64, 64, 9, 24)
    tokens = diorama.pack(gaussian_noise((1, 8, 3, 4, 4), seed=0), geometry)
    prompt = diorama.encode_prompt(["a red fox"])
    level = torch.full((1, geometry.tokens), 0.5)
    one = diorama.velocity(tokens, level, prompt, HERE)
    nearly = level.clone()
    nearly[0, 0] += 1e-6
    assert (diorama.velocity(tokens, nearly, prompt, HERE) - one).abs().max() < 1e-4, "[B] and [B, N] agree"
    clean = level.clone()
    clean[0, :16] = 0
    assert (diorama.velocity(tokens, clean, prompt, HERE) - one).abs().max() > 1e-3


def test_a_model_without_token_levels_refuses_them(ltx: LTXFamily) -> None:
    geometry = ltx.geometry(64, 64, 9, 24)
    tokens = Tokens(torch.zeros(1, geometry.tokens, 8), ltx.coordinates(geometry))
    levels = torch.linspace(0, 1, geometry.tokens).unsqueeze(0)
    with pytest.raises(ValueError, match="one noise level per sample"):
        ltx.velocity(tokens, levels, ltx.encode_prompt(["a"]), HERE)


def test_prompts_are_padded_masked_and_what_is_unread_is_named(diorama: LTXFamily) -> None:
    long = "a red fox bounces on a green field " * 8 + "zebra"
    prompt = diorama.encode_prompt(["a red fox", "", long])
    assert prompt.values.shape == (3, 48, 384)
    assert prompt.mask.sum(1).tolist() == [5, 2, 48]
    assert prompt.unread[:2] == ("", "")
    assert prompt.unread[2].endswith("zebra")
    alone = diorama.encode_prompt(["a red fox"])
    assert torch.allclose(alone.values[0, :5], prompt.values[0, :5], atol=1e-5)
