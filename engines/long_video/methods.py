"""The ways to make a film, by name: what each does, on which plan, and what it costs. No torch at import: a form asks.

Paper rows 21, 60, 64.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from engines.errors import LimitExceeded
from engines.long_video.chunk_plan import Order

if TYPE_CHECKING:
    from torch import Tensor

    from engines.long_video.film import Film

LongMethod = Literal["streaming", "chained", "rolling", "averaged", "spectral", "at once"]
METHODS: tuple[LongMethod, ...] = get_args(LongMethod)
WHAT_IT_DOES: dict[LongMethod, str] = {
    "streaming": "part after part: each is given the end of the one before and sees how the film began, then all are "
    "gone over once more with seams that wander (StreamingT2V)",
    "chained": "part after part: each is given the end of the one before",
    "rolling": "slot after slot out of one window in which the noise rises (FVDM, Rolling Diffusion)",
    "averaged": "all parts side by side, averaged where they overlap (MultiDiffusion)",
    "spectral": "all at once, coarse movement from the whole film, detail from a window (FreeLong); memory grows with "
    "the length",
    "at once": "all at once, as if it were short; memory grows with the length",
}
AT_ONCE: frozenset[LongMethod] = frozenset({"spectral", "at once"})  # memory grows with the length
BY_CHUNK: frozenset[LongMethod] = frozenset({"chained", "streaming"})  # one chunk goes through all its steps
FINISHED_SLOTS = 2  # that the rolling window looks back at


def order_of(method: LongMethod) -> Order:
    """Whether chunks are made one after another."""
    return "together" if method in ("averaged", *AT_ONCE) else "forward"


def refuse_at_once(method: LongMethod, tokens: int, most: int, title: str) -> None:
    """Raises LimitExceeded for a film that is too long to be made at once."""
    if method in AT_ONCE and tokens > most:
        raise LimitExceeded(
            f"“{method}” keeps the whole film with the model, {tokens:,} latent cells; {title} takes {most:,}.",
            "Choose “streaming” or “rolling”, which need no more memory for a longer film, or make a shorter one.",
            field="long_method",
        )


def make_film(method: LongMethod, film: Film, folder: Path, request: Mapping[str, Any]) -> Tensor:
    """The film's latents, float32 [1, C, S, h, w] on the CPU.

    Args:
        folder: The job's work folder; what is finished is kept there, and taken up again.
        request: Plain data that decides the film.

    Raises: what film.on_progress and film.at_border raise; ResourceError for a full disk.
    """
    from engines.long_video.chained import make_chain
    from engines.long_video.finished import FinishedChunks, KeptSteps
    from engines.long_video.rolling import make_rolling
    from engines.long_video.side_by_side import averaged, film_velocity, make_together, repeated_noise
    from engines.long_video.spectral import make_spectral
    from engines.long_video.streaming import make_streaming

    job = film.plan, {**request, "method": method}, film.family.revision
    chunks, steps = FinishedChunks(folder, *job), KeptSteps(folder, *job)
    if method == "chained":
        return make_chain(film, chunks)
    if method == "streaming":
        return make_streaming(film, chunks, KeptSteps(folder, *job, name="refining"))
    if method == "rolling":
        return make_rolling(film, chunks, FINISHED_SLOTS)
    window = film.plan.chunks[0].slots
    if method == "averaged":
        begun = repeated_noise(film, window)
        return make_together(film, film_velocity(film, averaged(film.plan)), steps, begun, film.levels(window))
    if method == "spectral":
        return make_spectral(film, steps)
    velocity = film.velocity(range(window), 0)
    return make_together(film, velocity, steps, film.noise(window), film.levels(window))
