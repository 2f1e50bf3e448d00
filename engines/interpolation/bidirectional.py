"""Between two pictures with a model that knows one: forwards from the first, noised again, backwards from the second.

ViBiDSampler (Yang et al. 2024, arXiv:2410.05651; paper row 52), in terms of the flow: at every step the clip is
denoised from its beginning, noised again to the same level, turned round, denoised from its end, and turned back. One
after the other, so that nothing is averaged. Noise comes from the branch without words (CFG++, Chung et al. 2024,
arXiv:2406.08070).

A causal tokenizer's clip cannot be turned round slot by slot: its first slot is one frame, so that slot s of four
frames becomes most of slot S − s. What is clean goes through pixels, where the far end is set, too; what is noise is
turned slot by slot, all but the first.

Shape legend: tokens float32 [1, N, D], N = S·P, S slots of P cells; x_σ = (1 − σ)·x₀ + σ·ε, v = ε − x₀.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engines.sampling.loop import Velocity
from engines.sampling.site import Site
from engines.sampling.solvers import BeginsAnew, Evaluate

FORWARDS, FORWARDS_UNSAID, BACKWARDS, BACKWARDS_UNSAID = range(4)  # stages of a step
LEAST_LEVEL = 0.25  # σ below which a step goes forwards alone: details need no second opinion, and turning costs some
Turn = Callable[[Tensor, bool], Tensor]  # clean tokens, whether they become the backward clip → tokens


@dataclass
class BothEnds(BeginsAnew):
    """A solver of four evaluations a step.

    Attributes:
        turn: Turns clean tokens round, setting the picture of the far end.
        slots: S.
        held: bool [N], what is given of a clip that begins with a picture: its first slot.
    """

    turn: Turn
    slots: int
    held: Tensor
    name: str = "both_ends"
    order: int = 1

    def step(
        self, evaluate: Evaluate, x: Tensor, sigma: Tensor, sigma_next: Tensor, state: None
    ) -> tuple[Tensor, None]:
        level, following = float(sigma.max()), float(sigma_next.max())
        if level >= 1:  # nothing is known yet: the way forwards would say nothing
            clean, noise = self.turn(torch.zeros_like(x), True), self._reversed(x)
        else:
            clean, noise = self._denoised(evaluate, x, sigma, level, (FORWARDS, FORWARDS_UNSAID))
            if level < LEAST_LEVEL:
                return self._mixed(clean, noise, x, following), None
            share = (1 - level) / (1 - following)
            added = max(0.0, level**2 - (share * following) ** 2) ** 0.5
            noise = self._reversed((share * following * noise + added * evaluate.noise(0)) / level)
            clean = self.turn(clean, True)
        back = self._mixed(clean, noise, clean, level)
        clean, noise = self._denoised(evaluate, back, sigma, level, (BACKWARDS, BACKWARDS_UNSAID))
        return self._mixed(self.turn(clean, False), self._reversed(noise), x, following), None

    def _denoised(
        self, evaluate: Evaluate, x: Tensor, sigma: Tensor, level: float, stages: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """What the words make of it, and the noise that is left without them."""
        said, unsaid = (evaluate(x, sigma, stage) for stage in stages)
        clean = torch.where(self.held[:, None], x, x - level * said)
        return clean, x + (1 - level) * unsaid

    def _mixed(self, clean: Tensor, noise: Tensor, given: Tensor, level: float) -> Tensor:
        return torch.where(self.held[:, None], given, (1 - level) * clean + level * noise)

    def _reversed(self, tokens: Tensor) -> Tensor:
        """Slots 1 … S − 1 in the other order."""
        slots = tokens.unflatten(1, (self.slots, -1))
        return torch.cat([slots[:, :1], slots[:, 1:].flip(1)], dim=1).flatten(1, 2)


def by_stage(velocities: dict[int, Velocity]) -> Velocity:
    """One velocity out of those of the stages."""

    def asked(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
        return velocities[at.stage](x, sigmas, at)

    return asked
