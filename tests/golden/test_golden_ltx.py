"""Golden gates of the LTX family: one block on seeded input, one short render to latents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engines.backend.families.base import Family
from engines.backend.families.ltx import LTXFamily
from engines.backend.registry import ModelRegistry
from engines.context import RunContext
from engines.sampling.noise import gaussian_noise
from engines.text_to_video.render import encode_prompts, sample_take
from engines.text_to_video.request import TextToVideoRequest
from tests.golden.golden_file import compare_with_golden


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The number of threads changes the order of sums, and with it the last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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


def short_render(family: Family, folder: Path) -> dict[str, Tensor]:
    """Latents [1, C, 3, 4, 4] of four guided Heun steps."""
    request = TextToVideoRequest(
        prompt="a red fox bounces on a beach", width=64, height=64, frames=9, steps=4, solver="heun", seed=11
    )
    geometry = family.geometry(request.height, request.width, request.frames, request.fps)
    take = sample_take(family, request, geometry, encode_prompts(family, request), request.seed, RunContext(folder))
    return {"latents": take.latents}


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
