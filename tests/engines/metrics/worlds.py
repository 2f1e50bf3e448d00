"""Rendered clips and an untrained judge that tests of the measures share."""

from __future__ import annotations

from functools import cache

import torch

from engines.diorama.clip_spec import ClipSpec
from engines.diorama.judge.model import ClipJudge
from engines.diorama.judge.words import heads
from engines.diorama.render import DioramaClip, render


@cache
def rendered(noun: str = "fox", motion: str = "slides right", scene: str = "beach", seed: int = 3) -> DioramaClip:
    """A true clip of 17 frames of 96 × 96. Shared: copy before you change it."""
    return render(ClipSpec(noun, motion, scene, seed))


@cache
def untrained_judge() -> ClipJudge:
    """The real class with random weights and the world's words; reads deterministically, though not rightly."""
    torch.manual_seed(5)
    return ClipJudge(widths=(8, 12, 16, 24), mixing_width=16, temporal_width=16, heads=tuple(heads().items())).eval()
