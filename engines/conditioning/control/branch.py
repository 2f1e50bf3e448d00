"""The control branch itself, full or light, and how it is put beside a transformer while something is sampled.

Shape legend: B batch, N tokens, C latent channels, D width of the transformer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from diffusers import LTXVideoTransformer3DModel
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.transformers.transformer_ltx import LTXVideoTransformerBlock
from torch import Tensor, nn

from engines.conditioning.control.shuffle_mixer import ShuffleMixer

KINDS = ("edges", "depth", "mask")


class ControlBranch(ModelMixin, ConfigMixin):
    """Beside some blocks of the transformer stands one of its own, which sees what is to be followed.

    Both of its projections begin at zero, so that an untrained branch changes nothing.

    Args:
        channels: C.
        width: D.
        layers: Beside which blocks, rising.
        groups: Of the shuffle mixer at each of them; None copies the transformer's own blocks (the full branch).
        block: Arguments of these blocks, as the transformer made its own.
    """

    @register_to_config
    def __init__(
        self,
        channels: int,
        width: int,
        layers: Sequence[int],
        groups: Sequence[int] | None = None,
        block: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.layers = tuple(layers)
        self.entry = nn.Linear(channels, width)
        self.kind = nn.Embedding(len(KINDS), width)
        if groups is None:
            sides: list[nn.Module] = [LTXVideoTransformerBlock(**(block or {})) for _ in self.layers]
        else:
            sides = [ShuffleMixer(width, m, layer) for layer, m in zip(self.layers, groups, strict=True)]
        self.sides = nn.ModuleList(sides)
        self.into = nn.ModuleList(nn.Linear(width, width) for _ in self.layers)
        self.out = nn.ModuleList(nn.Linear(width, width) for _ in self.layers)
        for zero in (*self.into, *self.out, self.kind):
            for parameter in zero.parameters():
                nn.init.zeros_(parameter)

    @staticmethod
    def beside(
        transformer: LTXVideoTransformer3DModel,
        layers: Sequence[int] | None = None,
        groups: Sequence[int] | None = None,
    ) -> ControlBranch:
        """An untrained one that begins as copies of what the transformer has.

        Args:
            layers: Default: beside every block.
            groups: See the class.
        """
        config = transformer.config
        width = config.num_attention_heads * config.attention_head_dim
        chosen = tuple(range(config.num_layers)) if layers is None else tuple(layers)
        block = {
            "dim": width, "num_attention_heads": config.num_attention_heads,
            "attention_head_dim": config.attention_head_dim, "cross_attention_dim": config.cross_attention_dim,
            "qk_norm": config.qk_norm, "activation_fn": config.activation_fn, "attention_bias": config.attention_bias,
            "attention_out_bias": config.attention_out_bias, "eps": config.norm_eps,
            "elementwise_affine": config.norm_elementwise_affine,
        }  # fmt: skip
        branch = ControlBranch(config.in_channels, width, chosen, groups, block if groups is None else None)
        branch.entry.load_state_dict(transformer.proj_in.state_dict())
        if groups is None:
            for layer, side in zip(chosen, branch.sides, strict=True):
                side.load_state_dict(transformer.transformer_blocks[layer].state_dict())
        return branch

    def begin(self, condition: Tensor, kind: int) -> Tensor:
        """What the branch carries from block to block, [B, N, D]; condition [B, N, C], latents of what it is shown."""
        return self.entry(condition) + self.kind.weight[kind]

    def step(self, index: int, carried: Tensor, hidden: Tensor, beside: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """One block: (what is carried on, what is added to the block's answer), [B, N, D] each.

        Args:
            index: In `layers`.
            hidden: What the transformer's block was given.
            beside: Its other arguments.
        """
        # At its first block the branch is the transformer, with the condition added; from there on the other way round.
        seen = hidden + self.into[0](carried) if index == 0 else carried + self.into[index](hidden)
        side = self.sides[index]
        carried = side(seen, beside["temb"]) if isinstance(side, ShuffleMixer) else side(hidden_states=seen, **beside)
        return carried, self.out[index](carried)


@contextmanager
def controlled(
    transformer: LTXVideoTransformer3DModel, branch: ControlBranch, condition: Tensor, kind: int, scale: float = 1.0,
    without: Sequence[int] = (),
) -> Iterator[None]:  # fmt: skip
    """While it is entered, the transformer follows the condition.

    Args:
        condition: [B or 1, N, C].
        scale: How closely: 0 is not at all.
        without: Layers whose residual is left out (what is each of them worth?).
    """
    carried: dict[str, Tensor] = {}

    def hook_of(index: int) -> Any:
        def hook(module: nn.Module, args: Any, kwargs: dict[str, Any], output: Tensor) -> Tensor:
            hidden = kwargs["hidden_states"]
            if index == 0:
                carried["on"] = branch.begin(condition.to(hidden).expand(len(hidden), -1, -1), kind)
            others = {name: value for name, value in kwargs.items() if name != "hidden_states"}
            carried["on"], residual = branch.step(index, carried["on"], hidden, others)
            return output if branch.layers[index] in without else output + scale * residual

        return hook

    blocks = transformer.transformer_blocks
    handles = [
        blocks[layer].register_forward_hook(hook_of(index), with_kwargs=True)
        for index, layer in enumerate(branch.layers)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def kind_index(kind: str) -> int:
    """Raises: ValueError for a kind that no branch knows."""
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}")
    return KINDS.index(kind)
