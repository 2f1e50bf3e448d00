"""RF-Edit: up under the source's prompt, down under the new one, seeing the source's values at the noisiest steps.

RF-Solver / RF-Edit, arXiv:2411.04746; see engines.inversion. With no steps shared it is plain inversion. What both
prompts agree on is held to the clip, see `agreement`.
"""

from __future__ import annotations

from engines.backend.attention.feature_store import FeatureStore, Spill
from engines.backend.blocks import block_count
from engines.backend.families.base import Family, PromptEmbedding
from engines.inversion.invert import invert
from engines.inversion.sharing import Sharing
from engines.sampling.guidance import GuidedVelocity
from engines.sampling.loop import Velocity, sample
from engines.video_editing.methods.agreement import FollowedWhereTheyDiffer, held_where_they_agree
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
    up = edit.velocity(edit.words.source)
    down, asked = _down(edit)
    with FeatureStore(MEMORY_BYTES, spill=spill) as store:
        stages = 1 if how.solver in ONE_STAGE else 2
        store.require(sharing.nbytes(edit.geometry.tokens, attention_width(family), stages))
        with family.attention(sharing.keep(store)):
            made = invert(up, edit.clean, sigmas, how.solver, noise, ask_top=sharing.steps > 0, on_step=edit.going_up)
        kept = store.nbytes + store.spilled_bytes
        with family.attention(sharing.recall(store)):
            start, falling = edit.going_on(made.top, made.sigmas)
            tokens = sample(edit.steered(down), start, falling, made.back, on_step=edit.going_down)
    return Edited(tokens, up.evaluations + asked.evaluations, made.top, {"kept_bytes": float(kept)})


def _down(edit: ClipEdit) -> tuple[Velocity, GuidedVelocity[PromptEmbedding]]:
    """The way back, and what it asks."""
    how, words = edit.how, edit.words
    # The leapfrog's way back must be its way there: steered, the velocity that it carries swings up.
    if how.hold == 0 or how.solver == "reversible_leapfrog":
        asked = edit.velocity(words.target, how.guidance_scale)
        return asked, asked
    guidance = FollowedWhereTheyDiffer(words.source, words.target, words.empty, edit.geometry.grid, how.guidance_scale)
    asked = edit.guided(guidance)
    return held_where_they_agree(asked, guidance, edit.clean, how.hold), asked


def attention_width(family: Family) -> int:
    """Values of a token in self-attention."""
    config = family.transformer.config
    return int(config.num_attention_heads * config.attention_head_dim)
