"""Several prompts, one take: windows side by side, each with what is said there, and with the keys of the one before.

DiTCtrl (Cai et al. 2024, arXiv:2412.18597; paper row 44): overlapping windows are averaged, prompts are mixed where a
window reaches over a change, and in some layers and steps a window attends to the keys and values of the window before
it, so that what it shows goes on. Positions are the window's own.

Shape legend: B rows, N tokens of a window, A heads, E values of a head; L prompt tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from engines.backend.attention.calls import AttentionCall, AttentionInputs
from engines.backend.families.base import PromptEmbedding
from engines.long_video.film import Film, Guided
from engines.long_video.finished import KeptSteps
from engines.long_video.side_by_side import averaged, film_velocity, make_together
from engines.sampling.guidance import ClassifierFree, Unguided

STEPS = (0.04, 0.5)  # share of the steps in which keys are shared
LAYERS = 0.2  # share of the layers, the last ones


@dataclass(frozen=True)
class Said:
    """What is said in some slots of the film.

    Attributes:
        slots: Those of all scenes in a row are the film.
        prompt: L tokens. negative: Likewise; None where guidance is off.
    """

    slots: range
    prompt: PromptEmbedding
    negative: PromptEmbedding | None


def guidance_by_slots(said: Sequence[Said], scale: float) -> Callable[[range], Guided]:
    """For Film.guidance_of: prompts mixed by how many of the slots each speaks in; the negative of the one most heard.

    A window given a part of the scene before and sampled with both prompts changes over; there are no frames between.
    """

    def guidance(slots: range) -> Guided:
        shares = [_shared(slots, one.slots) / len(slots) for one in said]
        prompt = mixed([one.prompt for one in said], shares)
        negative = said[max(range(len(said)), key=shares.__getitem__)].negative
        return Unguided(prompt) if negative is None else ClassifierFree(prompt, negative, scale)

    return guidance


def mixed(prompts: Sequence[PromptEmbedding], shares: Sequence[float]) -> PromptEmbedding:
    """Σ share · prompt, token by token; a token is real where it is in any prompt that speaks."""
    heard = [(prompt, share) for prompt, share in zip(prompts, shares, strict=True) if share > 0]
    if len(heard) == 1:
        return heard[0][0]
    values = torch.stack([share * prompt.values for prompt, share in heard]).sum(0)
    mask = torch.stack([prompt.mask for prompt, _ in heard]).amax(0)
    return replace(heard[0][0], values=values, mask=mask)


def _shared(one: range, other: range) -> int:
    return max(0, min(one.stop, other.stop) - max(one.start, other.start))


@dataclass
class KeysOfTheWindowBefore:
    """An attention hook; windows are asked in their order.

    Attributes:
        film: Its windows.
        layers: Of how many blocks. Keys are shared in the last LAYERS of them, in STEPS of the steps.
    """

    film: Film
    layers: int
    _kept: dict[tuple[int, str, int], tuple[Tensor, Tensor]] = field(default_factory=dict)

    def __call__(
        self, call: AttentionCall, inputs: AttentionInputs, call_next: Callable[[AttentionInputs], Tensor]
    ) -> Tensor:
        at = call.at
        if (
            call.kind != "self"
            or inputs.bare_key is None
            or at.layer is None
            or not self._is_shared(at.layer, at.interval)
        ):
            return call_next(inputs)
        before = self._kept.pop((at.window - 1, at.branch, at.layer), None)
        self._kept[at.window, at.branch, at.layer] = inputs.bare_key, inputs.value
        if at.window == 0 or before is None or before[0].shape != inputs.bare_key.shape:
            return call_next(inputs)
        bare, value = before
        chunk = self.film.plan.chunks[at.window]
        places = self.film.places(range(chunk.first_slot, chunk.first_slot + chunk.slots))
        return call_next(replace(inputs, key=self.film.family.turned(bare, places), value=value))

    def _is_shared(self, layer: int, interval: int) -> bool:
        first, last = (share * self.film.steps for share in STEPS)
        return layer >= self.layers - max(1, round(LAYERS * self.layers)) and first <= interval < last


def make_continuous(film: Film, store: KeptSteps, share_keys: bool = True) -> Tensor:
    """The film's latents, float32 [1, C, S, h, w] on the CPU; its plan goes together.

    Args:
        share_keys: False is blending alone.

    Raises: ValueError for families whose keys cannot be placed.
    """
    levels, begun = film.levels(film.plan.chunks[0].slots), film.noise(film.plan.film_slots)
    velocity = film_velocity(film, averaged(film.plan))
    if not share_keys:
        return make_together(film, velocity, store, begun, levels)
    layers = int(film.family.transformer.config.num_layers)
    with film.family.attention(KeysOfTheWindowBefore(film, layers)):
        return make_together(film, velocity, store, begun, levels)
