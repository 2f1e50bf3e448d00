"""A trunk that goes on with another code: what it says of a picture stays what it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import LTXVideoTransformer3DModel

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.training.continued import code_change, continued_transformer

SMALL = {
    "num_attention_heads": 2,
    "attention_head_dim": 12,
    "num_layers": 1,
    "caption_channels": 8,
    "cross_attention_dim": 24,
}


def transformer(channels: int) -> LTXVideoTransformer3DModel:
    return LTXVideoTransformer3DModel(in_channels=channels, out_channels=channels, **SMALL)


def code(rows: torch.Tensor, deviation: torch.Tensor) -> PatchVideoAutoencoder:
    model = PatchVideoAutoencoder(latent_channels=len(rows))
    with torch.no_grad():
        model.components.copy_(rows)
        model.latents_std.copy_(deviation)
    return model


@pytest.fixture
def directions() -> torch.Tensor:
    """Eight orthogonal directions of a block, [8, 3072]."""
    return torch.linalg.qr(torch.randn(3072, 8, generator=torch.Generator().manual_seed(0))).Q.T


def forward(model: LTXVideoTransformer3DModel, tokens: torch.Tensor) -> torch.Tensor:
    coordinates = torch.stack(torch.meshgrid(torch.arange(2.0), torch.arange(2.0), torch.arange(1.0), indexing="ij"))
    with torch.no_grad():
        result: torch.Tensor = model(
            hidden_states=tokens,
            encoder_hidden_states=torch.ones(len(tokens), 3, 8),
            timestep=torch.full((len(tokens),), 500),
            encoder_attention_mask=torch.ones(len(tokens), 3),
            video_coords=coordinates.flatten(1)[None],
            return_dict=False,
        )[0]
    return result


def test_the_trunk_says_the_same_in_the_new_code(tmp_path: Path, directions: torch.Tensor) -> None:
    """The new code has the old one's four directions among its own, in another order and at another scale."""
    old_scale, new_scale = torch.tensor([1.0, 2.0, 0.5, 1.5]), torch.tensor([0.7, 1.0, 3.0, 2.0, 1.2, 0.9])
    before, after = code(directions[:4], old_scale), code(directions[[5, 2, 0, 3, 1, 6]], new_scale)
    first = transformer(4)
    first.save_pretrained(tmp_path / "model" / "transformer")
    before.save_pretrained(tmp_path / "model" / "vae")
    after.save_pretrained(tmp_path / "vae")
    second = continued_transformer(tmp_path / "model", tmp_path / "vae", transformer(6))
    new = torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(1))
    places = torch.tensor([2, 4, 1, 3])  # where the old channels stand in the new code
    old = new[..., places] * new_scale[places] / old_scale
    said = forward(second, new)
    assert torch.allclose(said[..., places] * new_scale[places] / old_scale, forward(first, old), atol=1e-5)
    assert said[..., [0, 5]].abs().max() < 1e-5, "of directions that it never saw it says nothing"


def test_the_same_code_changes_nothing(directions: torch.Tensor) -> None:
    same = code(directions[:4], torch.tensor([1.0, 2.0, 0.5, 1.5]))
    assert torch.allclose(code_change(same, same), torch.eye(4), atol=1e-5)


def test_another_size_is_refused(tmp_path: Path, directions: torch.Tensor) -> None:
    transformer(4).save_pretrained(tmp_path / "transformer")
    code(directions[:4], torch.ones(4)).save_pretrained(tmp_path / "vae")
    wider = LTXVideoTransformer3DModel(
        in_channels=4, out_channels=4, **{**SMALL, "attention_head_dim": 24, "cross_attention_dim": 48}
    )
    with pytest.raises(RuntimeError, match="size mismatch"):
        continued_transformer(tmp_path, tmp_path / "vae", wider)
