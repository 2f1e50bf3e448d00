"""Which way a film is made where nobody chose one, and how it is cut. No torch: a form asks."""

from __future__ import annotations

from typing import Literal

from engines.backend.catalogue import ModelCard
from engines.errors import InvalidRequest, NotAvailable
from engines.long_video.chunk_plan import ChunkPlan
from engines.long_video.methods import AT_ONCE, LongMethod, order_of

LongChoice = Literal["automatic", LongMethod]
OVERLAP = 8  # frames
LONGEST_UNSAID = 257  # frames, of models whose cards do not say what they were trained with
DEFAULT: LongMethod = "chained"
WITHOUT_TOKEN_LEVELS: LongMethod = "averaged"


def longest_at_once(card: ModelCard) -> int:
    """Up to how many frames a clip is made at once where nobody chose."""
    return max(card.trained_frames, default=LONGEST_UNSAID)


def window_frames(card: ModelCard) -> int:
    """How many frames a part of a film has."""
    return max(card.trained_frames, default=card.defaults.frames)


def chosen_method(choice: LongChoice, card: ModelCard) -> LongMethod:
    """Raises NotAvailable for a way that this model cannot go."""
    by_token = card.facts.timestep_granularity == "token"
    if choice == "automatic":
        return DEFAULT if by_token else WITHOUT_TOKEN_LEVELS
    if not by_token and order_of(choice) == "forward":
        raise NotAvailable(
            f"{card.title} takes one noise level for the whole clip, so it cannot be given the end of another part.",
            f"Choose “{WITHOUT_TOKEN_LEVELS}” or “at once”.",
            field="long_method",
        )
    if choice == "spectral" and card.family not in ("ltx", "wan"):
        raise NotAvailable(
            f"“spectral” needs attention whose positions can be chosen, which {card.title} has not.",
            f"Choose “{WITHOUT_TOKEN_LEVELS}” or “at once”.",
            field="long_method",
        )
    return choice


def plan_film(method: LongMethod, frames: int, window: int, overlap: int, time: int) -> ChunkPlan:
    """How a film is cut; one window as long as itself where it is made at once.

    Raises: InvalidRequest (field frames, window_frames or overlap).
    """
    if method in AT_ONCE:
        window, overlap = -(-(frames - 1) // time) * time + 1, 0
    plan = ChunkPlan(frames, window, overlap, time, order_of(method))
    if plan.lined_up != "every slot":
        below = overlap // time * time
        raise InvalidRequest(
            f"An overlap of {overlap} frames is not possible: the model makes {time} frames at a time.",
            f"Choose an overlap of {below} or {below + time} frames.",
            field="overlap",
        )
    return plan
