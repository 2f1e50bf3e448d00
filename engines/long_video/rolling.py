"""A film as a stream: in one window the noise rises from slot to slot, its head is finished, and new noise comes in.

Paper row 21 (FVDM, one σ for each frame; Liu et al. 2024, arXiv:2410.03160) with the staircase of Rolling Diffusion
(Ruhe et al. 2024, arXiv:2402.09470) and FIFO-Diffusion (Kim et al. 2024, arXiv:2405.11473). Before the head stand a few
finished slots at σ = 0. A slot goes through all levels on its way to the head: `steps` in all, steps / R a slot.

Shape legend: S slots of the film, c finished slots in the window, R rolling ones, P cells of a slot, D channels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engines.long_video.film import Film, Progress
from engines.long_video.finished import FinishedChunks
from engines.sampling.loop import Step, sample
from engines.sampling.solvers import make_solver


class Staircase:
    """Which level each slot of the window stands at.

    Args:
        levels: Falling, [R·m + 1], from 1 to 0.
        rolling: R.
    """

    def __init__(self, levels: Tensor, rolling: int) -> None:
        self._levels = levels
        self.rolling = rolling
        self.steps = (len(levels) - 1) // rolling  # m

    def path(self, slots: int) -> Tensor:
        """Levels of the first `slots` slots from the head on while the head is being finished, [m + 1, slots]."""
        starts = (self.rolling - 1 - torch.arange(slots)) * self.steps
        return self._levels[starts[None, :] + torch.arange(self.steps + 1)[:, None]]


def make_rolling(film: Film, store: FinishedChunks, finished: int) -> Tensor:
    """The film's latents, float32 [1, C, S, h, w] on the CPU.

    Args:
        finished: c, how many finished slots the model sees before the head.

    The plan's chunks are where is saved; its windows are as long as the one that rolls, c + R slots.
    """
    with film.family.cached("off", film.steps):
        return _Rolling(film, store, finished).make()


class _Rolling:
    def __init__(self, film: Film, store: FinishedChunks, finished: int) -> None:
        self._film, self._store, self._finished = film, store, finished
        self._window = film.plan.chunks[0].slots
        rolling = self._window - finished
        # As many steps as asked for, rounded to a whole number for each slot on the way.
        rounded = max(1, round(film.steps / rolling)) * rolling
        self._stairs = Staircase(film.levels_of(rounded, self._window), rolling)
        self._slots = film.plan.film_slots
        self._done = 0

    def make(self) -> Tensor:
        film, cells = self._film, self._film.cells
        whole = torch.empty(1, self._slots * cells, film.family.channels)
        ready, rolling = 0, torch.empty(0)  # slots of `whole` that are finished; tokens from there on, on the stairs
        for chunk in film.plan.chunks:
            until = chunk.first_slot + chunk.slots
            kept, state = self._store.read(chunk.index), self._store.read_state(chunk.index)
            if kept is not None and state is not None:
                whole[:, chunk.first_slot * cells : until * cells] = film.tokens(kept).cpu()
                ready, rolling = until, state
                self._done += film.steps if chunk.index == 0 else 0
                continue
            if chunk.index == 0:
                clip = self._first_clip()
                ready, rolling = self._begun(whole, clip)
            while ready < until:
                rolling = self._finish_head(whole, ready, rolling)
                ready += 1
            latents = film.latents(whole[:, chunk.first_slot * cells : until * cells])
            self._store.write(chunk.index, latents, rolling)
            film.at_border()
        return film.latents(whole)

    def _first_clip(self) -> Tensor:
        """Made at once, tokens [1, (c + R)·P, D]."""
        film, slots = self._film, range(self._window)
        begun, held = film.holding_given(film.noise(self._window))
        sigmas = torch.where(held, 0.0, film.levels(self._window)[:, None].to(begun.device))
        return sample(film.velocity(slots, 0), begun, sigmas, make_solver(film.solver), on_step=self._report)

    def _begun(self, whole: Tensor, clip: Tensor) -> tuple[int, Tensor]:
        """Its first c slots are the film's; the others are noised again, each to its place on the stairs."""
        film, cells = self._film, self._film.cells
        if self._slots == self._window:
            whole[:] = clip.cpu()
            return self._slots, torch.empty(1, 0, clip.shape[-1])
        whole[:, : self._finished * cells] = clip[:, : self._finished * cells].cpu()
        rest = clip[:, self._finished * cells :]
        level = self._stairs.path(self._stairs.rolling)[0].repeat_interleave(cells)[None, :, None].to(clip)
        noise = torch.cat([film.noise(1, index) for index in self._noises(self._finished, self._window)], dim=1)
        return self._finished, (1 - level) * rest + level * noise

    def _finish_head(self, whole: Tensor, ready: int, rolling: Tensor) -> Tensor:
        """The slot `ready` joins the film. Returns the slots after it, new noise at the end, tokens [1, ·, D]."""
        film, cells = self._film, self._film.cells
        first = max(0, ready - self._finished)
        slots = range(first, min(ready + self._stairs.rolling, self._slots))
        before = whole[:, first * cells : ready * cells].to(film.family.device)
        x = torch.cat([before, rolling.to(before)[:, : (slots.stop - ready) * cells]], dim=1)
        path = self._stairs.path(slots.stop - ready).repeat_interleave(cells, dim=1)
        sigmas = torch.cat([torch.zeros(len(path), before.shape[1]), path], dim=1)
        made = sample(film.velocity(slots, ready), x, sigmas, make_solver(film.solver), on_step=self._report)
        made = made[:, before.shape[1] :]
        whole[:, ready * cells : (ready + 1) * cells] = made[:, :cells].cpu()
        new = ready + self._stairs.rolling
        further = [film.noise(1, index) for index in self._noises(new, new + 1)]
        return torch.cat([made[:, cells:], *further], dim=1)

    def _noises(self, first: int, stop: int) -> range:
        """Which noises belong to the slots; 0 is the first clip's."""
        return range(first + 1, min(stop, self._slots) + 1)

    def _report(self, step: Step) -> None:
        film = self._film
        self._done += 1
        total = film.steps + (self._slots - self._finished) * self._stairs.steps
        film.on_progress(Progress(min(self._done, total), total, 0, step.estimate()))
