"""Trains a judge: python -m engines.diorama.judge.train --name b --vae FOLDER --examples FOLDER --out FOLDER

Examples are drawn first where there are none (about ten minutes); then about three quarters of an hour on one core. A
training that was killed goes on in its folder.
Judges A and B differ in seed, widths and augmentation; B is never used in training or selection.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.backend.precision import compute_dtype
from engines.diorama.judge.examples import Examples, draw_examples, open_examples
from engines.diorama.judge.measure import measure
from engines.diorama.judge.model import FRAMES, MOMENTS, ClipJudge, Owners, Reading
from engines.diorama.judge.view import as_input
from engines.diorama.judge.words import NOTHING, heads
from engines.training.optimiser_state import restore_training, save_training

Rows = npt.NDArray[np.int64]
BATCH, PAIRS = 24, 24
CLIPS, ALL_PAIRS, EXAMPLES_SEED = 32000, 4000, 33
TAUGHT = 0.5  # share of the steps that are told which cells are whose
RATE, QUERY_RATE = 1.5e-3, 6e-4  # attention does not bear the convolutions' rate
SAVE_SECONDS = 120.0
TEMPERATURE = 0.1  # of the identity head's comparison
CELL_WEIGHT, IDENTITY_WEIGHT = 2.0, 1.0
# How often such a clip is taken, where any other is once: these are learnt last.
MOVING_WEIGHT, PAIR_WEIGHT, COVERING_WEIGHT, FIGURE_WEIGHT = 4.0, 1.5, 1.2, 3.0
EMPTY_CELL = 0.15  # of a cell that shows an object: most cells are empty


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
    "a": Recipe(seed=11, widths=(24, 48, 96, 144), colour_jitter=0.04, noise=0.03, erase=0.0, shift=4),
    "b": Recipe(seed=22, widths=(20, 48, 88, 160), colour_jitter=0.02, noise=0.05, erase=0.2, shift=5),
}


def augment(clips: torch.Tensor, recipe: Recipe, generator: torch.Generator) -> torch.Tensor:
    """Colour, noise, a small shift and an erased patch, the same over a clip's frames. [B, T, 3, 96, 96]."""
    batch = clips.shape[0]
    gain = 1 + recipe.colour_jitter * torch.randn(batch, 1, 3, 1, 1, generator=generator)
    out = clips * gain + recipe.noise * torch.rand(batch, 1, 1, 1, 1, generator=generator) * torch.randn(
        clips.shape, generator=generator
    )
    dx, dy = (int(v) for v in torch.randint(-recipe.shift, recipe.shift + 1, (2,), generator=generator))
    padded = functional.pad(out.flatten(0, 1), [recipe.shift] * 4, mode="replicate")
    top, left = recipe.shift + dy, recipe.shift + dx
    out = padded[..., top : top + 96, left : left + 96].unflatten(0, (batch, -1))
    erased = torch.rand(batch, generator=generator) < recipe.erase
    for row in torch.nonzero(erased).flatten().tolist():
        y, x = (int(v) for v in torch.randint(0, 84, (2,), generator=generator))
        out[row, :, :, y : y + 12, x : x + 12] = 0
    return out


def row_shares(words: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
    """How likely a step takes each clip, [n]; words [n, heads], −1 where a head has nothing to look at."""
    names, nothing = list(heads()), heads()["second"].index(NOTHING)
    moving, acting = (words[:, names.index(head)] >= 0 for head in ("motion", "action"))
    second = words[:, names.index("second")]
    pair = (second >= 0) & (second != nothing)
    covering = words[:, names.index("relation")] == heads()["relation"].index("in front")
    weight = np.select(
        [moving, acting, covering, pair], [MOVING_WEIGHT, FIGURE_WEIGHT, COVERING_WEIGHT, PAIR_WEIGHT], 1.0
    )
    return np.asarray(weight / weight.sum())


def words_loss(reading: Reading, wanted: torch.Tensor) -> torch.Tensor:
    """Sum over the heads of their cross entropy; wanted [B, heads], −1 where a head has nothing to look at."""
    total = torch.zeros(())
    for index, head in enumerate(heads()):
        seen = wanted[:, index] >= 0
        if seen.any():
            total = total + functional.cross_entropy(reading.logits[head][seen].float(), wanted[seen, index])
    return total


def cells_loss(logits: torch.Tensor, cells: torch.Tensor, empty: int) -> torch.Tensor:
    """logits [N, classes, …], cells [N, …], of which `empty` is the class of what shows nothing."""
    weight = torch.ones(logits.shape[1])
    weight[empty] = EMPTY_CELL
    return functional.cross_entropy(logits, cells, weight)


def whose_cells(wanted: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
    """Which of WHOSE each cell is, shaped as `shown`.

    Args:
        wanted: [B, heads], numbers of the words.
        shown: [B, …], the noun that covers each cell.
    """
    names = list(heads())
    first, second = (wanted[:, names.index(head)].reshape(-1, *[1] * (shown.dim() - 1)) for head in ("noun", "second"))
    # A scene whose things are not named (small ones) has them all the same; they count as the first's.
    unnamed = (first < 0) & (shown < len(heads()["noun"]))
    return torch.where((shown == first) | unnamed, 1, torch.where(shown == second, 2, 0))


def owners(wanted: torch.Tensor, cells: torch.Tensor, fine: torch.Tensor) -> Owners:
    """wanted [B, heads], cells [B, 9, 6, 6] and fine [B, 12, 12] of nouns: whose they are."""
    moments = cells[:, FRAMES // MOMENTS // 2 :: FRAMES // MOMENTS].flatten(2)
    return Owners(whose_cells(wanted, moments), whose_cells(wanted, fine.flatten(1)))


def owners_loss(told: Owners, true: Owners) -> torch.Tensor:
    """Cross entropy of both sizes of cells; an empty cell weighs less."""
    pairs = ((told.cells, true.cells), (told.fine, true.fine))
    return torch.stack([cells_loss(a.flatten(0, -2).float(), b.flatten(), 0) for a, b in pairs]).sum()


def identity_loss(first: torch.Tensor, second: torch.Tensor, who: torch.Tensor) -> torch.Tensor:
    """Each view finds its partner among the others' (InfoNCE both ways). first and second [N, E], who [N]."""
    scores = first @ second.T / TEMPERATURE
    same = (who[:, None] == who[None]) & ~torch.eye(len(who), dtype=torch.bool)
    scores = scores.masked_fill(same, -1e4)  # another pair of the very same object is no stranger
    target = torch.arange(len(who))
    return (functional.cross_entropy(scores, target) + functional.cross_entropy(scores.T, target)) / 2


def _loss(
    judge: ClipJudge, examples: Examples, recipe: Recipe, rows: Rows, pairs: Rows, generator: torch.Generator
) -> torch.Tensor:
    clips = augment(as_input(examples.clips[rows]), recipe, generator)
    views = augment(as_input(examples.pairs[pairs]), recipe, generator)
    # One pass for both, so that the normalisation's statistics are those of both, as later when only one is read.
    fine, maps = judge.maps(torch.cat([clips.flatten(0, 1), views.flatten(0, 1)]))
    count = len(rows) * FRAMES
    of_clips, of_views = maps[:count], maps[count:]
    wanted = torch.from_numpy(examples.words[rows].astype(np.int64))
    cells, fine_cells = (
        torch.from_numpy(part[rows].astype(np.int64)) for part in (examples.cells, examples.fine_cells)
    )
    whose = owners(wanted, cells, fine_cells)
    taught = torch.rand((), generator=generator) < TAUGHT
    reading = judge.read_maps(
        fine[:count].unflatten(0, (-1, FRAMES)), of_clips.unflatten(0, (-1, FRAMES)), whose if taught else None
    )
    embedded = judge.embed(of_views).unflatten(0, (-1, 2))
    who = torch.from_numpy(examples.who[pairs].astype(np.int64))
    return (
        words_loss(reading, wanted)
        + CELL_WEIGHT * owners_loss(reading.whose, whose)
        + CELL_WEIGHT * cells_loss(judge.nouns_of_cells(of_clips).float(), cells.flatten(0, 1), len(heads()["noun"]))
        + IDENTITY_WEIGHT * identity_loss(embedded[:, 0], embedded[:, 1], who)
    )


def train(
    name: str, examples: Examples, steps: int, log: Path, begin: ClipJudge | None = None, rate: float = 1.0
) -> ClipJudge:
    """A judge from nothing, or from one that begins: AdamW with one cosine. Goes on where a killed run stood.

    Args:
        rate: Share of the learning rates: one that begins well goes on at less.
    """
    recipe = RECIPES[name]
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)
    dtype = compute_dtype(torch.device("cpu"))
    judge = ClipJudge(widths=recipe.widths, heads=tuple(heads().items())).to(memory_format=torch.channels_last)
    if begin is not None:
        judge.load_state_dict(begin.state_dict())
    slow = [judge.queries, judge.places, judge.fine_places]
    slow += [one for part in (judge.mixing, judge.enter, judge.enter_fine, judge.whose) for one in part.parameters()]
    named = {id(one) for one in slow}
    groups = [{"params": [one for one in judge.parameters() if id(one) not in named]}, {"params": slow}]
    optimiser = torch.optim.AdamW(groups, lr=RATE, weight_decay=0.02)
    state = log.parent / "state.safetensors"
    start = restore_training(state, judge, optimiser)
    shares = row_shares(examples.words)
    began, running, saved = time.time(), list[float](), time.monotonic()
    for step in range(start, steps):
        for group, highest in zip(optimiser.param_groups, (RATE, QUERY_RATE), strict=True):
            group["lr"] = rate * highest * rate_factor(step, steps)
        # Functions of the step, so that a run that goes on draws what the killed one would have drawn.
        random = np.random.default_rng([recipe.seed, step])
        generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
        rows = np.sort(random.choice(len(examples.clips), BATCH, replace=False, p=shares))
        pairs = np.sort(random.choice(len(examples.pairs), PAIRS, replace=False))
        with torch.autocast("cpu", dtype, enabled=dtype is not torch.float32):
            loss = _loss(judge, examples, recipe, rows, pairs, generator)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(judge.parameters(), 5.0)
        optimiser.step()
        running.append(float(loss.detach()))
        if step % 100 == 99:
            judge.eval()
            right = measure(judge, 100, 1000 + step, None)
            judge.train()
            line = {"judge": name, "step": step + 1, "loss": round(sum(running) / len(running), 3),
                    "seconds": round(time.time() - began), **right}  # fmt: skip
            running = []
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        if time.monotonic() - saved > SAVE_SECONDS:
            save_training(state, judge, optimiser, step + 1)
            saved = time.monotonic()
    return judge.eval()


def rate_factor(step: int, steps: int) -> float:
    """Up from a 25th to 1 over the first tenth of the steps, then down to nothing, both along a cosine."""
    rise = max(1, round(0.1 * steps))
    if step < rise:
        return 0.04 + 0.96 * (0.5 - 0.5 * math.cos(math.pi * step / rise))
    return 0.5 + 0.5 * math.cos(math.pi * (step - rise) / max(1, steps - rise))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m engines.diorama.judge.train", description=__doc__)
    parser.add_argument("--name", choices=sorted(RECIPES), required=True)
    parser.add_argument("--vae", type=Path, required=True, help="folder of the tokenizer whose blur is shown too")
    parser.add_argument("--examples", type=Path, required=True, help="where the renders lie, or are to be drawn")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--begin", type=Path, help="folder of a judge of the same name and sizes to go on from")
    parser.add_argument("--rate", type=float, default=1.0, help="share of the learning rates")
    parser.add_argument("--processes", type=int, default=2, help="for drawing")
    arguments = parser.parse_args()
    vae = PatchVideoAutoencoder.from_pretrained(arguments.vae).float()
    draw_examples(arguments.examples, vae, EXAMPLES_SEED, CLIPS, ALL_PAIRS, arguments.processes)
    arguments.out.mkdir(parents=True, exist_ok=True)
    begin = ClipJudge.from_pretrained(arguments.begin, low_cpu_mem_usage=False).float() if arguments.begin else None
    judge = train(
        arguments.name, open_examples(arguments.examples), arguments.steps, arguments.out / "log.jsonl", begin,
        arguments.rate,
    )  # fmt: skip
    measured = {"renders": measure(judge, 1200, 77, None), "reconstructed": measure(judge, 600, 78, vae)}
    judge.half().save_pretrained(arguments.out)
    (arguments.out / "measured.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
