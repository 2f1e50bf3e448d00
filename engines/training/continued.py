"""A trunk that goes on from one that was trained on another linear code.

Both codes are linear in the same 16 × 16 × 4 blocks, so what the first trunk read is a linear map of what the
second one is given: z₁ ≈ A·z₂ with A = diag(1/s₁)·C₁·C₂ᵀ·diag(s₂). Only the first and the last layer have to be told.
Shape legend: C₁, C₂ channels of the two codes; V values of a block; D width.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import LTXVideoTransformer3DModel

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder


def code_change(before: PatchVideoAutoencoder, after: PatchVideoAutoencoder) -> torch.Tensor:
    """A, [C₁, C₂]: from normalised latents of the new code to those of the old one, without their means."""
    shared = before.components.float() @ after.components.float().T
    return shared * after.latents_std.float() / before.latents_std.float()[:, None]


@torch.no_grad()
def continued_transformer(
    folder: Path, vae_folder: Path, fresh: LTXVideoTransformer3DModel
) -> LTXVideoTransformer3DModel:
    """`fresh` with the weights of the exported model in `folder`, its first and last layer turned to the new code.

    Args:
        vae_folder: The new code.
        fresh: Of the new number of channels, else of the same sizes.

    Raises: RuntimeError if the sizes differ.
    """
    before = PatchVideoAutoencoder.from_pretrained(folder / "vae").float()
    change = code_change(before, PatchVideoAutoencoder.from_pretrained(vae_folder))
    back = torch.linalg.pinv(change)
    weights = LTXVideoTransformer3DModel.from_pretrained(folder / "transformer", torch_dtype=torch.float32).state_dict()
    weights["proj_in.weight"] = weights["proj_in.weight"] @ change
    weights["proj_out.weight"] = back @ weights["proj_out.weight"]
    weights["proj_out.bias"] = back @ weights["proj_out.bias"]
    fresh.load_state_dict(weights)
    return fresh
