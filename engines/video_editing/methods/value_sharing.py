"""RF-Edit: up under the source's prompt, down under the new one, seeing the source's values at the noisiest steps.

RF-Solver / RF-Edit, arXiv:2411.04746; see engines.inversion. With no steps shared it is plain inversion. What both
prompts agree on is held to the clip, see `agreement`.
"""

from __future__ import annotations

from dataclasses import replace

from engines.backend.attention.feature_store import FeatureStore, Spill
from engines.backend.blocks import block_count
from engines.backend.families.base import Family
from engines.inversion.invert import Inverted, invert
from engines.inversion.sharing import Sharing
from engines.sampling.loop import Velocity, sample
from engines.sampling.site import Site
from engines.video_editing.methods.agreement import (
    DisagreementMask,
    FollowedWhereTheyDiffer,
    Target,
    held_where_they_agree,
    watched,
)
from engines.video_editing.methods.clip_edit import ClipEdit, Edited

MEMORY_BYTES = 2**30
# Of these solvers a step asks once, at a level that the other way asks at as well.
ONE_STAGE = ("euler", "uni_inv")


def share_values(edit: ClipEdit, spill: Spill | None = None) -> Edited:
    """Raises: ResourceError before anything is asked if what is kept does not fit."""
    how, family = edit.how, edit.family
    sigmas, noise = edit.inverted_sigmas, edit.first_noise
    total = len(sigmas) - (1 if noise is None else 2)
    sharing = Sharing(total, min(how.shared_steps, total), block_count(family.transformer))
    ways = _Ways(edit)
    stages = 1 if how.solver in ONE_STAGE else 2
    with FeatureStore(MEMORY_BYTES, spill=spill) as store:
        store.require(sharing.nbytes(edit.geometry.tokens, attention_width(family), stages))
        keep = sharing.keep(store)
        with family.attention(replace(keep, where=replace(keep.where, branches=("cond",)))):
            made = invert(
                ways.up, edit.clean, sigmas, how.solver, noise, ask_top=sharing.steps > 0, on_step=edit.going_up
            )
        kept = store.nbytes + store.spilled_bytes
        with family.attention(sharing.recall(store)):
            down = ways.down(made)
            start, falling = edit.going_on(made.top, made.sigmas)
            tokens = sample(edit.steered(down), start, falling, made.back, on_step=edit.going_down)
    return Edited(tokens, ways.evaluations, made.top, {"kept_bytes": float(kept)})


class _Ways:
    """Up and down, and how often they asked the model."""

    def __init__(self, edit: ClipEdit) -> None:
        self._edit = edit
        # The leapfrog's way back must be its way there: steered, the velocity that it carries swings up.
        self._free = edit.how.hold == 0 or edit.how.solver == "reversible_leapfrog"
        self._source = edit.velocity(edit.words.source)
        self._target = edit.guided(Target(edit.words.target))
        self._mask = DisagreementMask(edit.geometry.grid, float(edit.sigmas.max()))
        self._asked = [self._source, self._target]

    @property
    def up(self) -> Velocity:
        return self._source if self._free else watched(self._source, self._target, self._mask)

    def down(self, made: Inverted) -> Velocity:
        """Once, after the way up."""
        edit, words, scale = self._edit, self._edit.words, self._edit.how.guidance_scale
        if self._free:
            guided = edit.velocity(words.target, scale)
            self._asked.append(guided)
            return guided
        if self._mask.is_empty:
            # Of so few steps none fell among the levels that tell.
            levels = made.sigmas[0].to(made.top).expand(len(made.top), -1)
            top = Site(0, 0, float(levels.max()))
            self._mask.gather(self._target(made.top, levels, top) - self._source(made.top, levels, top))
        differs = self._mask.shares()
        guided = edit.guided(FollowedWhereTheyDiffer(words.source, words.target, words.empty, differs, scale))
        self._asked.append(guided)
        return held_where_they_agree(guided, differs, edit.clean, edit.how.hold)

    @property
    def evaluations(self) -> int:
        return sum(one.evaluations for one in self._asked)


def attention_width(family: Family) -> int:
    """Values of a token in self-attention."""
    config = family.transformer.config
    return int(config.num_attention_heads * config.attention_head_dim)
