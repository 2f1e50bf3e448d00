"""A trunk on another linear code says at once what it said before. Shape legend: C channels, N tokens."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import LTXVideoTransformer3DModel

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.training.continued import code_change, continued_transformer


def code(channels: int, seed: int) -> PatchVideoAutoencoder:
    """The first `channels` of one set of directions, as a larger PCA of the same blocks has them."""
    made = PatchVideoAutoencoder(latent_channels=channels)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        directions = torch.linalg.qr(torch.randn(3072, 8, generator=torch.Generator().manual_seed(0))).Q.T
        made.components.copy_(directions[:channels])
        made.latents_std.copy_(0.5 + torch.rand(channels, generator=generator))
    return made


def trunk(channels: int) -> LTXVideoTransformer3DModel:
    torch.manual_seed(1)
    return LTXVideoTransformer3DModel(
        in_channels=channels, out_channels=channels, num_attention_heads=2, attention_head_dim=12, num_layers=2,
        caption_channels=16, cross_attention_dim=24,
    )  # fmt: skip


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    code(4, seed=5).save_pretrained(tmp_path / "model" / "vae")
    trunk(4).save_pretrained(tmp_path / "model" / "transformer")
    code(8, seed=6).save_pretrained(tmp_path / "vae")
    return tmp_path


def test_a_shared_direction_is_scaled_and_others_are_not_read() -> None:
    before, after = code(4, seed=5), code(8, seed=6)
    change = code_change(before, after)
    assert torch.allclose(change[:, :4], torch.diag(after.latents_std[:4] / before.latents_std), atol=1e-5)
    assert change[:, 4:].abs().max() < 1e-5


def test_the_velocity_of_what_both_codes_hold_is_the_same(exported: Path) -> None:
    old = LTXVideoTransformer3DModel.from_pretrained(exported / "model" / "transformer")
    new = continued_transformer(exported / "model", exported / "vae", trunk(8))
    change = code_change(code(4, seed=5), code(8, seed=6))
    tokens = torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(2))
    rest = {
        "encoder_hidden_states": torch.randn(1, 3, 16), "timestep": torch.tensor([500.0]),
        "encoder_attention_mask": torch.ones(1, 3), "num_frames": 1, "height": 2, "width": 2,
        "return_dict": False,
    }  # fmt: skip
    with torch.no_grad():
        said = old(hidden_states=tokens @ change.T, **rest)[0]
        says = new(hidden_states=tokens, **rest)[0]
    assert torch.allclose(says @ change.T, said, atol=1e-4)
    assert says[..., 4:].abs().max() < 1e-5, "what the old code had no channel for begins at nothing"
