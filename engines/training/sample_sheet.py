"""Looks at where a run stands: held-out prompts, chosen by number, sampled with the averaged weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from engines.backend.catalogue import load_catalogue
from engines.backend.families.base import Family
from engines.backend.families.guided import guided_velocity
from engines.backend.registry import load_ltx
from engines.diorama.captions import plain_caption
from engines.diorama.clip_spec import held_out_specs
from engines.media.contact_sheet import contact_sheet, save_picture
from engines.sampling.guidance import ClassifierFree
from engines.sampling.loop import sample
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import make_schedule, uniform
from engines.sampling.solvers import make_solver

Frames = npt.NDArray[np.uint8]


def load_exported(folder: Path) -> Family:
    """An exported folder as the bundled model's family, in float32."""
    return load_ltx(load_catalogue().card("diorama"), folder, torch.device("cpu"), torch.float32)


def sample_clip(
    family: Family, prompt: str, seed: int, frames: int = 17, steps: int = 20, guidance_scale: float = 4.0
) -> Frames:
    """One clip, uint8 [T, 96, 96, 3], by the one loop."""
    geometry = family.geometry(96, 96, frames, 24)
    guidance = ClassifierFree(family.encode_prompt([prompt]), family.encode_prompt([""]), guidance_scale)
    velocity = guided_velocity(family, geometry, guidance)
    schedule = make_schedule("model", steps, geometry.tokens, family.scheduler_config)
    noise = gaussian_noise((1, geometry.tokens, family.channels), seed)
    tokens = sample(velocity, noise, uniform(schedule, geometry.tokens), make_solver("euler"))
    return np.concatenate(list(family.decode(family.unpack(tokens, geometry))))


def write_sheet(
    family: Family, path: Path, count: int, frames: int, report: Callable[[str], None] = print
) -> list[Frames]:
    """Samples `count` held-out prompts and saves them as one picture. Returns: the clips."""
    specs = held_out_specs(count, frames=frames)
    clips = []
    for row, spec in enumerate(specs):
        clips.append(sample_clip(family, plain_caption(spec), row, frames))
        report(f"{row + 1} of {count}: {plain_caption(spec)}")
    shown = 1 if frames == 1 else 5
    labels = [plain_caption(spec) for spec in specs]
    save_picture(path, contact_sheet(clips, columns=6 if frames == 1 else 2, labels=labels, frames_per_clip=shown))
    return clips
