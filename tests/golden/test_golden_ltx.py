"""Golden gates of the LTX family: one block on seeded input, one short render to latents."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from engines.backend.families.ltx import LTXFamily
from engines.backend.registry import ModelRegistry
from engines.sampling.noise import gaussian_noise
from tests.golden.golden_file import compare_with_golden
from tests.golden.short_render import short_render


@torch.inference_mode()
def first_block(family: LTXFamily) -> dict[str, Tensor]:
    """The output [1, 16, D] of transformer block 0 on seeded input with one noise level per token."""
    transformer = family.transformer
    width = transformer.config.num_attention_heads * transformer.config.attention_head_dim
    geometry = family.geometry(64, 64, 1, 24)
    hidden = gaussian_noise((1, geometry.tokens, width), seed=1)
    output = transformer.transformer_blocks[0](
        hidden_states=hidden,
        encoder_hidden_states=gaussian_noise((1, 24, width), seed=2),
        temb=0.1 * gaussian_noise((1, geometry.tokens, 6 * width), seed=3),
        image_rotary_emb=transformer.rope(hidden, video_coords=family.coordinates(geometry)),
        encoder_attention_mask=torch.zeros(1, 1, 24),
    )
    return {"output": output}


def test_golden_block(tiny_diorama: ModelRegistry) -> None:
    family = tiny_diorama.load("diorama")
    assert isinstance(family, LTXFamily)
    compare_with_golden("tiny_block", first_block(family))


def test_golden_render(tiny_diorama: ModelRegistry, tmp_path: Path) -> None:
    compare_with_golden("tiny_render", short_render(tiny_diorama.load("diorama"), tmp_path))


def test_golden_bundled_model(bundled_model: ModelRegistry, tmp_path: Path) -> None:
    family = bundled_model.load("diorama")
    assert isinstance(family, LTXFamily)
    tensors = first_block(family) | short_render(family, tmp_path)
    compare_with_golden("bundled_model", tensors, family.revision)
