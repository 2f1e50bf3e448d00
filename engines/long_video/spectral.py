"""Each attention twice: over the whole film and over a window around each slot; low frequencies of the one, high of the
other.

FreeLong (Lu et al. 2024, arXiv:2407.19918; paper row 60), on attention over space and time together: the whole film is
seen with its times drawn together to a window's, so that no distance is one that the model never learnt; the window
with true times. The whole film is with the model at once: memory and time grow with its length.

Shape legend: B rows, S slots, P = h·w cells of a slot, N = S·P tokens, A heads, E values of a head, W slots of a
window.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engines.backend.attention.calls import AttentionCall, AttentionInputs, attend
from engines.backend.families.base import Family
from engines.long_video.film import Film
from engines.long_video.finished import KeptSteps
from engines.long_video.side_by_side import make_together, repeated_noise

LEAST_LEVEL = 0.3  # σ below which the window alone speaks


@dataclass(frozen=True)
class SpectralBlend:
    """An attention hook.

    Attributes:
        places: Of the film's tokens, in what `family.turned` takes, [1, 3, N].
        window: W.
        time_cutoff, space_cutoff: Standard deviations of the Gaussian low-pass, in shares of the highest frequency;
            0 leaves nothing of the whole film, infinity does not filter along that axis.
        least_level: σ from which on there is blending.
    """

    family: Family
    places: Tensor
    window: int
    time_cutoff: float = 0.25
    space_cutoff: float = 0.25
    least_level: float = LEAST_LEVEL

    def __call__(
        self, call: AttentionCall, inputs: AttentionInputs, call_next: Callable[[AttentionInputs], Tensor]
    ) -> Tensor:
        slots, rows, columns = call.layout.grid
        if call.kind != "self" or slots <= self.window:
            return call_next(inputs)
        near = within_window(inputs, slots, self.window)
        if call.at.sigma < self.least_level or self.time_cutoff == 0 or self.space_cutoff == 0:
            return near
        far = call_next(self._drawn_together(inputs, slots))
        keep = low_pass((slots, rows, columns), self.time_cutoff, self.space_cutoff).to(near.device)
        return blended(far, near, keep)

    def _drawn_together(self, inputs: AttentionInputs, slots: int) -> AttentionInputs:
        assert inputs.bare_query is not None
        assert inputs.bare_key is not None
        places = self.places.clone()
        places[:, 0] *= (self.window - 1) / (slots - 1)
        turn = self.family.turned
        return replace(inputs, query=turn(inputs.bare_query, places), key=turn(inputs.bare_key, places))


def within_window(inputs: AttentionInputs, slots: int, window: int) -> Tensor:
    """Attention of each slot to the `window` slots around it, shifted inwards at the ends, [B, N, A, E]."""
    query, key, value = (part.unflatten(1, (slots, -1)) for part in (inputs.query, inputs.key, inputs.value))
    answers = []
    for slot in range(slots):
        first = min(max(0, slot - window // 2), slots - window)
        near = slice(first, first + window)
        keys, values = key[:, near].flatten(1, 2), value[:, near].flatten(1, 2)
        answers.append(attend(AttentionInputs(query[:, slot], keys, values, None)))
    return torch.cat(answers, dim=1)


def low_pass(grid: tuple[int, int, int], time_cutoff: float, space_cutoff: float) -> Tensor:
    """exp(−½·Σ (f/d)²) over normalised frequencies −1 … 1, float32 [S, h, w], in the order of torch.fft."""
    total = torch.zeros(grid)
    for axis, cutoff in enumerate((time_cutoff, space_cutoff, space_cutoff)):
        if not math.isinf(cutoff):
            shape = [-1 if other == axis else 1 for other in range(3)]
            total = total + (2 * torch.fft.fftfreq(grid[axis]) / cutoff).square().reshape(shape)
    return torch.exp(-0.5 * total)


def blended(low: Tensor, high: Tensor, keep: Tensor) -> Tensor:
    """keep of `low`'s frequencies and 1 − keep of `high`'s, along time and both axes of space, [B, N, A, E]."""
    grid, shape = tuple(keep.shape), low.shape

    def spectrum(part: Tensor) -> Tensor:
        return torch.fft.fftn(part.float().flatten(2).unflatten(1, grid), dim=(1, 2, 3))

    share = keep[None, :, :, :, None]
    mixed = torch.fft.ifftn(share * spectrum(low) + (1 - share) * spectrum(high), dim=(1, 2, 3)).real
    return mixed.flatten(1, 3).reshape(shape).to(low.dtype)


def make_spectral(film: Film, store: KeptSteps) -> Tensor:
    """The film's latents, float32 [1, C, S, h, w] on the CPU. Raises ValueError for families without free places."""
    window = film.window_slots
    blend = SpectralBlend(film.family, film.family.places(film.geometry), window)
    whole = film.velocity(range(film.plan.film_slots), 0)
    with film.family.attention(blend):
        return make_together(film, whole, store, repeated_noise(film, window), film.levels(window))
