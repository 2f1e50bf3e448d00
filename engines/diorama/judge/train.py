"""Trains a judge on fresh renders, half of them after the tokenizer's round trip, so that its blur is not a wrong noun.

`python -m engines.diorama.judge.train --name b --vae FOLDER --out FOLDER` (about 20 minutes on one core);
`--begin JUDGE` goes on from a judge with fresh renders, at a fifth of the rate.
Judges A and B differ in seed, widths and augmentation; B is never used in training or selection.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.backend.precision import compute_dtype
from engines.diorama.clip_spec import random_spec
from engines.diorama.judge.model import ClipJudge, Reading, pick_frames
from engines.diorama.render import render
from engines.diorama.vocabulary import vocabulary


@dataclass(frozen=True)
class Recipe:
    """What makes the two judges different."""

    seed: int
    widths: tuple[int, ...]
    colour_jitter: float
    noise: float
    erase: float
    shift: int


RECIPES = {
    "a": Recipe(seed=11, widths=(24, 48, 96, 144), colour_jitter=0.06, noise=0.03, erase=0.0, shift=3),
    "b": Recipe(seed=22, widths=(20, 48, 88, 160), colour_jitter=0.03, noise=0.05, erase=0.25, shift=4),
}
BATCH = 24


def labels(noun: str, motion: str, scene: str) -> list[int]:
    words = vocabulary()
    return [words["nouns"].index(noun), words["motions"].index(motion), words["scenes"].index(scene)]


def render_batch(
    random: np.random.Generator, count: int, held_out: bool, vae: PatchVideoAutoencoder | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Clips [B, 9, 3, 96, 96] in −1 … 1 and labels [B, 3]. With a tokenizer, every second clip went through it."""
    clips, wanted = [], []
    for index in range(count):
        spec = random_spec(random, held_out=held_out)
        frames = torch.from_numpy(render(spec, with_flow=False).frames).permute(3, 0, 1, 2).float() / 127.5 - 1
        if vae is not None and index % 2:
            with torch.no_grad():
                frames = vae.decode(vae.encode(frames[None]).latent_dist.mode()).sample[0].clamp(-1, 1)
        clips.append(pick_frames(frames.transpose(0, 1)))
        wanted.append(labels(spec.noun, spec.motion, spec.scene))
    return torch.stack(clips), torch.tensor(wanted)


def augment(clips: torch.Tensor, recipe: Recipe, generator: torch.Generator) -> torch.Tensor:
    """Colour, noise, a small shift and an erased patch, the same over a clip's frames."""
    batch = clips.shape[0]
    gain = 1 + recipe.colour_jitter * torch.randn(batch, 1, 3, 1, 1, generator=generator)
    out = clips * gain + recipe.noise * torch.rand(batch, 1, 1, 1, 1, generator=generator) * torch.randn(
        clips.shape, generator=generator
    )
    if recipe.shift:
        dx, dy = (int(v) for v in torch.randint(-recipe.shift, recipe.shift + 1, (2,), generator=generator))
        padded = functional.pad(out.flatten(0, 1), [recipe.shift] * 4, mode="replicate")
        top, left = recipe.shift + dy, recipe.shift + dx
        out = padded[..., top : top + 96, left : left + 96].unflatten(0, (batch, -1))
    erased = torch.rand(batch, generator=generator) < recipe.erase
    for row in torch.nonzero(erased).flatten().tolist():
        y, x = (int(v) for v in torch.randint(0, 84, (2,), generator=generator))
        out[row, :, :, y : y + 12, x : x + 12] = 0
    return out


def loss_of(reading: Reading, wanted: torch.Tensor) -> torch.Tensor:
    heads = (reading.noun, reading.motion, reading.scene)
    return sum((functional.cross_entropy(head, wanted[:, i]) for i, head in enumerate(heads)), torch.zeros(()))


@torch.no_grad()
def accuracy(judge: ClipJudge, clips: torch.Tensor, wanted: torch.Tensor) -> dict[str, float]:
    """Share right of each head."""
    reading = judge(clips)
    heads = {"noun": reading.noun, "motion": reading.motion, "scene": reading.scene}
    return {
        name: float((head.argmax(1) == wanted[:, i]).float().mean()) for i, (name, head) in enumerate(heads.items())
    }


def evaluate(judge: ClipJudge, clips: int, seed: int, vae: PatchVideoAutoencoder | None) -> dict[str, float]:
    """Accuracy on fresh held-out renders."""
    random, totals = np.random.default_rng(seed), {"noun": 0.0, "motion": 0.0, "scene": 0.0}
    for _ in range(clips // 50):
        for name, value in accuracy(judge, *render_batch(random, 50, True, vae)).items():
            totals[name] += value
    return {name: round(value / (clips // 50), 4) for name, value in totals.items()}


def train(
    name: str, vae: PatchVideoAutoencoder | None, steps: int, log: Path, begin: ClipJudge | None = None
) -> ClipJudge:
    """A judge from nothing, or from one that begins: AdamW with one cosine."""
    recipe, words = RECIPES[name], vocabulary()
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)
    dtype = compute_dtype(torch.device("cpu"))
    judge = ClipJudge(
        widths=recipe.widths,
        nouns=tuple(words["nouns"]),
        motions=tuple(words["motions"]),
        scenes=tuple(words["scenes"]),
    ).to(memory_format=torch.channels_last)
    if begin is not None:
        judge.load_state_dict(begin.state_dict())
    seed, rate = (recipe.seed, 3e-3) if begin is None else (recipe.seed + 1000, 6e-4)
    optimiser = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.1)
    random, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    began = time.time()
    for step in range(steps):
        clips, wanted = render_batch(random, BATCH, False, vae)
        with torch.autocast("cpu", dtype, enabled=dtype is not torch.float32):
            loss = loss_of(judge(augment(clips, recipe, generator)), wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 50 == 49:
            judge.eval()
            right = evaluate(judge, 50, 1000 + step, None)
            judge.train()
            seconds = round(time.time() - began)
            line = {
                "judge": name,
                "step": step + 1,
                "loss": round(float(loss.detach()), 3),
                "seconds": seconds,
                **right,
            }
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
    return judge.eval()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m engines.diorama.judge.train", description=__doc__)
    parser.add_argument("--name", choices=sorted(RECIPES), required=True)
    parser.add_argument("--vae", type=Path, help="folder of the tokenizer whose reconstructions are shown too")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2200)
    parser.add_argument("--begin", type=Path, help="folder of a judge of the same name to go on from")
    arguments = parser.parse_args()
    vae = PatchVideoAutoencoder.from_pretrained(arguments.vae) if arguments.vae else None
    arguments.out.mkdir(parents=True, exist_ok=True)
    begin = ClipJudge.from_pretrained(arguments.begin).float() if arguments.begin else None
    judge = train(arguments.name, vae, arguments.steps, arguments.out / "log.jsonl", begin)
    measured = {"renders": evaluate(judge, 600, 77, None)}
    judge.half().save_pretrained(arguments.out)
    (arguments.out / "measured.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
