"""A training-only forward pass over an LTXVideoTransformer3DModel's own weights.

The same function as diffusers' forward (a test holds them equal), arranged for CPUs: rotary tables are given, not made;
time modulation is per slot and broadcast over the slot's tokens; attention is an explicit softmax, because the flash
kernel's backward pass takes almost half of the time at 180 tokens; blocks can be compiled.

Shape legend: B batch, S groups of tokens that share a timestep (1, or the latent frames), P tokens in a group,
N = S·P tokens, D width, L text tokens, C latent channels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as functional
from diffusers import LTXVideoTransformer3DModel

BlockFunction = Callable[..., torch.Tensor]
# Every token is seen by these before some are left out: so what is left knows of what was there.
MIXING_BLOCKS = 2


def _rms(x: torch.Tensor, eps: float) -> torch.Tensor:
    x32 = x.float()
    return (x32 * torch.rsqrt(x32.pow(2).mean(-1, keepdim=True) + eps)).to(x.dtype)


def _rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary embedding on adjacent pairs over the full width. x [B, N, D], cos and sin [N, D/2]."""
    even, odd = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    turned = torch.stack([even * cos - odd * sin, odd * cos + even * sin], dim=-1)
    return turned.flatten(-2).to(x.dtype)


def _attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, heads: int, bias: torch.Tensor | None) -> torch.Tensor:
    """Softmax attention. q [B, N, D], k and v [B, M, D], bias [B, 1, 1, M] or None."""
    q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (q, k, v))
    scores = (q @ k.transpose(-1, -2)).float() * q.shape[-1] ** -0.5
    if bias is not None:
        scores = scores + bias
    weights = scores.softmax(dim=-1).to(v.dtype)
    return (weights @ v).transpose(1, 2).flatten(2)


def block_forward(
    block: Any,
    hidden: torch.Tensor,
    text: torch.Tensor,
    text_bias: torch.Tensor,
    modulation: torch.Tensor,
    cos: torch.Tensor,
    sin: torch.Tensor,
) -> torch.Tensor:
    """One transformer block. hidden [B, S, P, D], text [B, L, D], modulation [B, S, 1, 6·D]."""
    batch, groups, per_group, width = hidden.shape
    first, second = block.attn1, block.attn2
    ada = block.scale_shift_table + modulation.unflatten(-1, (6, width))
    shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = ada.unbind(dim=3)

    x = (_rms(hidden, 1e-6) * (1 + scale_a) + shift_a).flatten(1, 2)
    q = _rotate(_rms(first.to_q(x), 1e-5) * first.norm_q.weight, cos, sin)
    k = _rotate(_rms(first.to_k(x), 1e-5) * first.norm_k.weight, cos, sin)
    attended = first.to_out[0](_attend(q, k, first.to_v(x), first.heads, None))
    hidden = hidden + attended.view(batch, groups, per_group, width) * gate_a

    x = hidden.flatten(1, 2)
    q = _rms(second.to_q(x), 1e-5) * second.norm_q.weight
    k = _rms(second.to_k(text), 1e-5) * second.norm_k.weight
    attended = second.to_out[0](_attend(q, k, second.to_v(text), second.heads, text_bias))
    hidden = hidden + attended.view(batch, groups, per_group, width)

    x = _rms(hidden, 1e-6) * (1 + scale_m) + shift_m
    expand, project = block.ff.net[0].proj, block.ff.net[2]
    return hidden + project(functional.gelu(expand(x), approximate="tanh")) * gate_m


def rotary_tables(model: LTXVideoTransformer3DModel, coordinates: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """cos and sin [N, D/2] for coordinates [3, N] in seconds and pixels."""
    cos, sin = model.rope(coordinates[None, :1, :, None].expand(1, 1, -1, 1)[..., 0], video_coords=coordinates[None])
    return cos[0, :, ::2].contiguous(), sin[0, :, ::2].contiguous()


def fast_forward(
    model: LTXVideoTransformer3DModel,
    tokens: torch.Tensor,
    sigmas: torch.Tensor,
    text: torch.Tensor,
    text_mask: torch.Tensor,
    rotary: tuple[torch.Tensor, torch.Tensor],
    block: BlockFunction = block_forward,
    keep: torch.Tensor | None = None,
) -> torch.Tensor:
    """The model's velocity.

    Args:
        tokens: [B, N, C].
        sigmas: [B, S] noise levels 0 … 1; S divides N.
        text: [B, L, 384] text encoder states; text_mask: [B, L], 1 for real tokens.
        rotary: From `rotary_tables`.
        block: `block_forward`, or a compiled version of it.
        keep: Deferred masking (paper row 49): numbers of the tokens, [M], that go on after the first MIXING_BLOCKS
            blocks, which see all of them; the others are left out. None keeps all. A model of no more blocks than
            those only leaves them out of its answer.

    Returns: [B, N, C], or [B, M, C] of the tokens that were kept.
    """
    batch, groups = sigmas.shape
    hidden = model.proj_in(tokens).unflatten(1, (groups, -1))
    modulation, embedded = model.time_embed((sigmas * 1000).flatten(), batch_size=batch, hidden_dtype=hidden.dtype)
    modulation = modulation.view(batch, groups, 1, -1)
    embedded = embedded.view(batch, groups, 1, -1)
    projected = model.caption_projection(text).view(batch, text.shape[1], -1)
    bias = (1 - text_mask[:, None, None, :].float()) * -10000.0
    for index, layer in enumerate(model.transformer_blocks):
        if index == MIXING_BLOCKS and keep is not None:
            hidden, modulation, embedded = (_kept(one, keep, tokens.shape[1]) for one in (hidden, modulation, embedded))
            rotary = (rotary[0][keep], rotary[1][keep])
        hidden = block(layer, hidden, projected, bias, modulation, *rotary)
    if keep is not None and len(model.transformer_blocks) <= MIXING_BLOCKS:
        hidden, embedded = (_kept(one, keep, tokens.shape[1]) for one in (hidden, embedded))
    shift, scale = (model.scale_shift_table + embedded.expand(-1, -1, 2, -1)).unbind(dim=2)
    normed = functional.layer_norm(hidden, hidden.shape[-1:], eps=1e-6)
    output: torch.Tensor = model.proj_out(normed * (1 + scale[:, :, None]) + shift[:, :, None])
    return output.flatten(1, 2)


def _kept(x: torch.Tensor, keep: torch.Tensor, tokens: int) -> torch.Tensor:
    """[B, S, P or 1, D] of groups → [B, M, 1, D] of the tokens that are kept."""
    groups = x.shape[1]
    return x.expand(-1, -1, tokens // groups, -1).flatten(1, 2)[:, keep, None]
