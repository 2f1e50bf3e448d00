"""The loop in which a small module beside a frozen model learns: AdamW, a warm-up and one cosine, resumable."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from engines.training.optimiser_state import restore_training, save_training
from engines.training.run_state import append_log

SAVE_SECONDS = 120.0
WEIGHT_DECAY, LARGEST_GRADIENT = 0.01, 1.0


@dataclass(frozen=True)
class Lesson:
    """How long and how fast.

    Attributes:
        rate: At its highest.
        warmup: Steps until there.
        log_every: Steps that a line of log.jsonl speaks of.
    """

    steps: int
    rate: float
    warmup: int = 100
    log_every: int = 50

    def rate_at(self, step: int) -> float:
        """Up along a line, then down to nothing along a cosine."""
        return self.rate * min(1.0, (step + 1) / self.warmup) * (0.5 + 0.5 * math.cos(math.pi * step / self.steps))


def teach(module: torch.nn.Module, lesson: Lesson, loss_of: Callable[[int], torch.Tensor], folder: Path) -> None:
    """Takes every step that is still to be taken, from the folder's state if there is one.

    Args:
        loss_of: The loss of a step, a function of its number alone: a run that goes on draws what the killed one would
            have drawn.
    """
    optimiser = torch.optim.AdamW(module.parameters(), lr=lesson.rate, weight_decay=WEIGHT_DECAY)
    state = folder / "state.safetensors"
    running, began, saved = list[float](), time.monotonic(), time.monotonic()
    for step in range(restore_training(state, module, optimiser), lesson.steps):
        for group in optimiser.param_groups:
            group["lr"] = lesson.rate_at(step)
        loss = loss_of(step)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), LARGEST_GRADIENT)
        optimiser.step()
        running.append(float(loss.detach()))
        if len(running) == lesson.log_every:
            seconds = round(time.monotonic() - began)
            mean = round(sum(running) / len(running), 4)
            append_log(folder / "log.jsonl", step=step + 1, loss=mean, seconds=seconds)
            running = []
        if time.monotonic() - saved > SAVE_SECONDS or step + 1 == lesson.steps:
            save_training(state, module, optimiser, step + 1)
            saved = time.monotonic()
    module.eval()
