"""What takes a copied block's place in a light control branch: attention among shuffled tokens, by groups of channels.

Shape legend: B batch, N tokens, D width, m groups of D/m channels, T timesteps of a clip (1 or N).
Paper: RelaCtrl (arXiv 2502.14377, section 3.3, “two-dimensional shuffle mixer”). Its released code draws permutations
anew at every call; here they are a function of layer and length, so that a render can be repeated, of tokens alone.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

SEGMENTS, HEADS = 4, 4


class ShuffleMixer(nn.Module):
    """Modulated by the timestep, added with a gate; no feed-forward.

    Args:
        width: D, divisible by HEADS · groups.
        groups: m: the fewer, the more parameters. 4·D²/m of them.
        seed: Of the permutations; another one for each layer.
    """

    def __init__(self, width: int, groups: int, seed: int) -> None:
        super().__init__()
        if width % (HEADS * groups):
            raise ValueError(f"a width of {width} has no {groups} groups of {HEADS} heads")
        self.groups, self.seed = groups, seed
        part = width // groups
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.into = nn.ModuleList(nn.Linear(part, 3 * part) for _ in range(groups))
        self.out = nn.ModuleList(nn.Linear(part, part) for _ in range(groups))
        self.scale_shift_table = nn.Parameter(torch.randn(3, width) / width**0.5)
        self._orders: dict[int, Tensor] = {}

    def forward(self, x: Tensor, temb: Tensor) -> Tensor:
        """x [B, N, D]; temb [B, T, 6·D], the transformer's own: what it gives its self-attention is used here."""
        given = temb.unflatten(-1, (6, -1))[:, :, :3] + self.scale_shift_table.to(temb)
        shift, scale, gate = given.unbind(dim=2)
        modulated = self.norm(x) * (1 + scale) + shift
        mixed = [self._mixed(index, part) for index, part in enumerate(modulated.chunk(self.groups, dim=-1))]
        return x + torch.cat(mixed, dim=-1) * gate

    def _mixed(self, group: int, x: Tensor) -> Tensor:
        """Attention within each of four segments of the shuffled tokens. [B, N, D/m]."""
        order = self._order(x.shape[1]).to(x.device)[group]
        query, key, value = self.into[group](x[:, order]).chunk(3, dim=-1)
        segments = zip(*(one.tensor_split(SEGMENTS, dim=1) for one in (query, key, value)), strict=True)
        parts = [functional.scaled_dot_product_attention(_heads(q), _heads(k), _heads(v)) for q, k, v in segments]
        answer = self.out[group](torch.cat([part.transpose(1, 2).flatten(2) for part in parts], dim=1))
        return torch.empty_like(answer).index_copy(1, order, answer)

    def _order(self, tokens: int) -> Tensor:
        """A permutation for each group, int64 [m, N]."""
        if tokens not in self._orders:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + tokens)
            self._orders[tokens] = torch.stack(
                [torch.randperm(tokens, generator=generator) for _ in range(self.groups)]
            )
        return self._orders[tokens]


def _heads(x: Tensor) -> Tensor:
    return x.unflatten(-1, (HEADS, -1)).transpose(1, 2)
