"""Rotary positions for further keys, anywhere: between the cells, before the clip, outside of the picture.

Shape legend: B batch, R keys, A heads, E values of a head; positions [1, 3, R].
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def turned_ltx(rope: Any, bare: Tensor, coordinates: Tensor) -> Tensor:
    """Keys [B, R, A, E] without positions, turned as LTX turns them over the whole width.

    Args:
        rope: The transformer's.
        coordinates: Seconds, pixel row, pixel column.
    """
    from diffusers.models.transformers.transformer_ltx import apply_rotary_emb

    flat = bare.flatten(2)
    turned: Tensor = apply_rotary_emb(flat, rope(flat, video_coords=coordinates.to(flat.device)))
    return turned.unflatten(2, bare.shape[2:])


def turned_wan(rope: Any, bare: Tensor, places: Tensor, base: float = 10000.0) -> Tensor:
    """Keys [B, R, A, E] without positions, turned as Wan turns them: each axis has its part of a head's values.

    Args:
        rope: The transformer's, which has angles for whole places only.
        places: Slot, patch row and patch column; fractions are allowed.
        base: Of its frequencies.
    """
    angles = []
    for axis, width in enumerate((rope.t_dim, rope.h_dim, rope.w_dim)):
        frequencies = base ** -(torch.arange(0, width, 2, dtype=torch.float64) / width)
        angles.append(places[0, axis].double()[:, None] * frequencies)
    angle = torch.cat(angles, dim=1)[None, :, None].to(bare.device)  # [1, R, 1, E / 2]
    return turned_in_pairs(bare, angle.cos().to(bare), angle.sin().to(bare))


def turned_in_pairs(part: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Neighbours of part [B, R, A, E] are a pair; cosine and sine [1, R, 1, E / 2]."""
    first, second = part.unflatten(-1, (-1, 2)).unbind(-1)
    turned = torch.stack((first * cosine - second * sine, first * sine + second * cosine), dim=-1)
    return turned.flatten(-2).type_as(part)
