"""Looks at where a run stands: prompts of held-out scenes, chosen by number, sampled with the averaged weights."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from engines.backend.catalogue import load_catalogue
from engines.backend.families.base import Family
from engines.backend.families.guided import guided_velocity
from engines.backend.loading import load_family
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.random_scene import random_scene
from engines.media.contact_sheet import contact_sheet, save_picture
from engines.sampling.guidance import ClassifierFree
from engines.sampling.loop import sample
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import make_schedule, uniform
from engines.sampling.solvers import make_solver
from engines.training.export import export
from engines.training.latent_cache import TEXT_TOKENS
from engines.training.run import CONFIG_COPY, Run

Frames = npt.NDArray[np.uint8]
SHEET_CLIPS, SHEET_FRAMES = 6, 17


def load_exported(folder: Path) -> Family:
    """An exported folder as the bundled model's family, in float32, with prompts as long as those of the training."""
    card = load_catalogue().card("diorama")
    facts = card.facts.model_copy(update={"max_text_tokens": TEXT_TOKENS})
    return load_family(card.model_copy(update={"facts": facts}), folder, torch.device("cpu"), torch.float32)


def held_out_prompts(count: int, seed: int = 0) -> list[str]:
    """Plain captions of scenes of every kind that no training sees: the same ones each time."""
    random = np.random.default_rng(seed)
    return [caption(random_scene(random, held_out=True)).text for _ in range(count)]


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
    family: Family, path: Path, prompts: Sequence[str], frames: int, report: Callable[[str], None] = print
) -> list[Frames]:
    """Samples the prompts and saves them as one picture. Returns: the clips."""
    clips = []
    for row, prompt in enumerate(prompts):
        clips.append(sample_clip(family, prompt, row, frames))
        report(f"{row + 1} of {len(prompts)}: {prompt}")
    shown = 1 if frames == 1 else 5
    columns = 6 if frames == 1 else 2
    save_picture(path, contact_sheet(clips, columns, labels=list(prompts), frames_per_clip=shown))
    return clips


def sheet_of_run(folder: Path, step: int) -> None:
    """A sheet of a run that goes on meanwhile, from its last saved state: sheets/step-NNNNNN.png in its folder."""
    # Ctrl+C is for the run; a sheet that is being made is finished.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    exported = folder / "preview"
    export(Run.open(folder, folder / CONFIG_COPY), exported)
    (folder / "sheets").mkdir(exist_ok=True)
    path = folder / "sheets" / f"step-{step:06d}.png"
    write_sheet(load_exported(exported), path, held_out_prompts(SHEET_CLIPS), SHEET_FRAMES, lambda _: None)
