"""MagicStick: a thing that was moved, scaled or taken away by hand is made at home where it is now (row 15).

The clip that was rearranged in pixels is noised where it was touched and sampled again; everywhere else the state
follows the source's own inversion, and its keys and values are those that the model saw there. The paper (Ma et al.
2023, arXiv:2312.03047) mixes attention maps by the mask; mixing keys and values by it needs no maps, which fused
attention does not give away. It tunes an adapter on every clip, too: our model is shown the clip's own tokens instead.

Shape legend: tokens float32 [1, N, D]; schedules float32 [steps + 1, N].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor

from engines.backend.attention.calls import AttentionCall, AttentionInputs
from engines.backend.attention.feature_store import FeatureStore, Spill
from engines.backend.attention.hooks import Keep, Next, Recall, Where
from engines.backend.blocks import block_count
from engines.inversion.invert import invert
from engines.sampling.loop import Step, Velocity, sample
from engines.sampling.noise import INITIAL
from engines.sampling.site import Site
from engines.sampling.solvers import Euler
from engines.video_editing.methods.clip_edit import ClipEdit, Edited
from engines.video_editing.methods.value_sharing import MEMORY_BYTES, attention_width

# Of the blocks; the paper mixes in those in the middle, whose attention says what belongs together.
FROM, TO = 0.3, 0.85
MIXED = ("key", "value")


def settle(
    edit: ClipEdit, arranged: Tensor, touched: Tensor, spill: Spill | None = None, mixing: bool = True
) -> Edited:
    """The rearranged clip, made anew where it was touched; elsewhere the source's tokens to the bit.

    Args:
        edit: Of the source clip. Its strength says how far what was touched is noised.
        arranged: Tokens of the clip with the thing moved or taken away.
        touched: bool [N], where the thing was or is.
        mixing: False leaves keys and values alone (the baseline).

    Raises: ResourceError before anything is asked if what is kept does not fit; ValueError if nothing or everything
        was touched.
    """
    if not bool(touched.any()) or bool(touched.all()):
        raise ValueError("a part of the tokens must be touched")
    family, sigmas = edit.family, edit.inverted_sigmas
    blocks = block_count(family.transformer)
    where = Where(layers=range(round(FROM * blocks), round(TO * blocks)))
    touched = touched.to(family.device)
    path = [edit.clean]
    if edit.first_noise is not None:
        path.append(torch.lerp(edit.clean, edit.first_noise.to(edit.clean), edit.how.first_level))

    def on_rise(step: Step) -> None:
        path.append(step.x)
        if edit.going_up is not None:
            edit.going_up(step)

    with FeatureStore(MEMORY_BYTES, spill=spill) as store:
        if mixing:
            tokens_bytes = 2 * edit.geometry.tokens * attention_width(family)
            store.require(len(MIXED) * tokens_bytes * len(sigmas) * len(where.layers or ()))
        up = edit.velocity(edit.words.source)
        with family.attention(*([Keep(store, where, MIXED)] if mixing else [])):
            made = invert(up, edit.clean, sigmas, "euler", edit.first_noise, ask_top=mixing, on_step=on_rise)
        down = edit.velocity(edit.words.target, edit.how.guidance_scale)
        level = made.sigmas[0].to(edit.clean)[None, :, None]
        noised = (1 - level) * arranged.to(edit.clean) + level * edit.noise(INITIAL)
        start = torch.where(touched[:, None], noised, made.top)
        velocity = along(down, path[::-1], made.sigmas, ~touched)
        mixed = _Mixed(store, where, touched.reshape(edit.geometry.grid))
        with family.attention(*([mixed] if mixing else [])):
            tokens = sample(velocity, start, made.sigmas, Euler(), on_step=edit.going_down)
    return Edited(tokens, up.evaluations + down.evaluations, made.top)


@dataclass(frozen=True)
class _Mixed:
    """Recalls what was kept wherever nothing was touched.

    Attributes:
        touched: bool [T', H', W']; a model may see several cells as one token.
    """

    store: FeatureStore
    where: Where
    touched: Tensor

    def __call__(self, call: AttentionCall, inputs: AttentionInputs, call_next: Next) -> Tensor:
        cells = functional.adaptive_max_pool3d(self.touched[None].float(), call.layout.grid)
        own = (cells == 0).flatten()
        return Recall(self.store, self.where, MIXED, tokens=own)(call, inputs, call_next)


def along(velocity: Velocity, path: Sequence[Tensor], sigmas: Tensor, held: Tensor) -> Velocity:
    """The same, but what is held goes along a path, for Euler steps of this schedule.

    Args:
        path: Its states, one for each point of the schedule, [1, N, D].
        sigmas: [steps + 1, N], falling for every held token in every step.
        held: bool [N].
    """

    def steered(x: Tensor, levels: Tensor, at: Site) -> Tensor:
        own, following = velocity(x, levels, at), path[at.interval + 1].to(x)
        falls = (sigmas[at.interval] - sigmas[at.interval + 1]).to(x)[None, :, None]
        return torch.where(held[:, None], (x - following) / falls.clamp_min(1e-9), own)

    return steered
