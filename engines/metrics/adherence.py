"""Does the clip show what the prompt says? Asked of a judge: what is seen, how it moves, where, what a figure wears.

Shape legend: N clips, T frames, H rows, W columns, F features. Benchmarks ask Judge B, which nothing was
trained or selected with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from engines.diorama.judge.model import CELLS, ClipJudge, Owners, Reading
from engines.diorama.judge.view import as_input, view
from engines.diorama.judge.words import NOTHING
from engines.diorama.theatre.spec import Relation
from engines.errors import InvalidRequest, NotAvailable
from engines.metrics.checks import Frames, check_clip, check_finite

_BATCH = 16
CLEARLY = 0.06  # share of the view that a thing stands farther left (…) than another
Wanted = Mapping[str, str]  # head → word, as engines.diorama.judge.words.scene_words gives it
T = TypeVar("T")
# Heads that are right only together. "clothes" needs the pattern and both colours.
TOGETHER = {"all_three": ("noun", "motion", "scene"), "clothes": ("pattern", "colour", "second_colour")}
Place = tuple[float, float]  # right and down, shares of the judge's view


@dataclass(frozen=True)
class Labels:
    """What a judge sees in one clip.

    Attributes:
        words: Head → its word.
        probability: How probable it holds it, 0 … 1.
        places: Where the first and the second thing are, on average.
    """

    words: Mapping[str, str]
    probability: Mapping[str, float]
    places: tuple[Place, Place] = ((0.5, 0.5), (0.5, 0.5))

    @property
    def noun(self) -> str:
        return self.words["noun"]

    @property
    def motion(self) -> str:
        return self.words["motion"]

    @property
    def scene(self) -> str:
        return self.words["scene"]


def load_judge(folder: Path) -> ClipJudge:
    """A judge in float32, ready to read. Raises NotAvailable if its files are not in the folder."""
    if not (folder / "config.json").is_file():
        raise NotAvailable(
            f"There is no judge in {folder}.",
            "Clone the repository again, or train one: python -m engines.diorama.judge.train --help",
            field="judge",
        )
    judge = ClipJudge.from_pretrained(folder, torch_dtype=torch.float32, use_safetensors=True, local_files_only=True)
    return judge.eval()


def judge_clips(judge: ClipJudge, clips: Iterable[Frames]) -> Reading:
    """Logits [N, words] of each head and features [N, F] of all clips, float32, in their order.

    Args:
        clips: Each uint8 [T, H, W, 3] (fitted into 96 × 96); 9 frames are read, evenly over the clip. A picture
            (T = 1) is read as a clip that stands still.

    Raises: InvalidRequest if there is no clip, or one is empty.
    """
    readings, batch = [], []
    for clip in clips:
        check_clip(clip, "clips")
        batch.append(view(clip))
        if len(batch) == _BATCH:
            readings.append(_read(judge, batch))
            batch = []
    if batch:
        readings.append(_read(judge, batch))
    if not readings:
        raise InvalidRequest("There is no clip to read.", "Give at least one clip.", field="clips")
    return Reading(
        {head: torch.cat([reading.logits[head] for reading in readings]) for head in readings[0].logits},
        torch.cat([reading.features for reading in readings]),
        Owners(*(torch.cat([getattr(reading.whose, size) for reading in readings]) for size in ("cells", "fine"))),
    )


def labels_of(judge: ClipJudge, reading: Reading) -> list[Labels]:
    """The most probable word of each head for every clip. Raises InvalidRequest if a logit is NaN or infinite."""
    words: list[dict[str, str]] = [{} for _ in range(len(reading.features))]
    sure: list[dict[str, float]] = [{} for _ in words]
    for head, logits in reading.logits.items():
        check_finite(logits.numpy(), "logits")
        probability, index = logits.softmax(1).max(1)
        for clip, (number, value) in enumerate(zip(index.tolist(), probability.tolist(), strict=True)):
            words[clip][head], sure[clip][head] = str(judge.words[head][number]), float(value)
    places = _places(reading.whose.cells)
    return [Labels(word, value, place) for word, value, place in zip(words, sure, places, strict=True)]


def _places(whose: torch.Tensor) -> list[tuple[Place, Place]]:
    """Centres of what is the first's and the second's, from logits [N, 3, 36, 3]."""
    share = whose.softmax(-1).mean(1)[..., 1:].unflatten(1, (CELLS, CELLS))
    middle = (torch.arange(CELLS) + 0.5) / CELLS
    whole = share.sum((1, 2)).clamp(min=1e-6)
    right = (share.sum(1) * middle[:, None]).sum(1) / whole
    down = (share.sum(2) * middle[:, None]).sum(1) / whole
    return [((float(x[0]), float(y[0])), (float(x[1]), float(y[1]))) for x, y in zip(right, down, strict=True)]


def read_clips(judge: ClipJudge, clips: Iterable[Frames]) -> list[Labels]:
    """What the judge sees in each clip; arguments and errors as `judge_clips`."""
    return labels_of(judge, judge_clips(judge, clips))


def read_clip(judge: ClipJudge, frames: Frames) -> Labels:
    """What the judge sees in one clip; arguments and errors as `judge_clips`."""
    return read_clips(judge, [frames])[0]


def adherence(seen: Sequence[Mapping[str, str]], wanted: Sequence[Wanted]) -> dict[str, npt.NDArray[np.float64]]:
    """1 where a clip shows what was wanted, 0 where not, NaN where nothing was: float64 [N] for each head that was
    wanted of any clip, for TOGETHER's groups, and "two_objects": both things are there, wherever.

    Their means over what is no NaN are the accuracies; `mean_with_interval` says how sure they are.

    Args:
        seen: What the judge said of each clip, head → word.

    Raises: InvalidRequest if there is no clip, or the numbers of both differ.
    """
    if not seen or len(seen) != len(wanted):
        raise InvalidRequest(
            f"{len(seen)} clips were read but {len(wanted)} are wanted.",
            "Give what is wanted of each clip, and at least one.",
            field="wanted",
        )
    pairs = list(zip(seen, wanted, strict=True))
    heads = [head for head in seen[0] if any(head in words for words in wanted)]
    right = {head: np.array([_is_right(said, words, (head,)) for said, words in pairs]) for head in heads}
    for name, group in TOGETHER.items():
        if set(group) <= set(heads):
            right[name] = np.array([_is_right(said, words, group) for said, words in pairs])
    if "second" in heads:
        right["two_objects"] = np.array([_has_both(said, words) for said, words in pairs])
    return right


def stands_as_said(seen: Labels, first: str, relation: Relation, second: str) -> bool:
    """Whether both things are there, the first in this relation to the second, by where the judge sees them."""
    named = {seen.words["noun"]: 0, seen.words["second"]: 1}
    if first == second or set(named) != {first, second}:
        return False
    if relation == "in front of":
        return seen.words["relation"] == "in front" and named[first] == 0
    right, down = (b - a for a, b in zip(seen.places[named[first]], seen.places[named[second]], strict=True))
    ways = {"left of": right, "right of": -right, "above": down, "below": -down}
    return ways[relation] > CLEARLY


def _is_right(said: Mapping[str, str], words: Wanted, heads: Sequence[str]) -> float:
    if any(head not in words for head in heads):
        return float("nan")
    return float(all(said[head] == words[head] for head in heads))


def _has_both(said: Mapping[str, str], words: Wanted) -> float:
    if words.get("second", NOTHING) == NOTHING:
        return float("nan")
    return float({said["noun"], said["second"]} == {words["noun"], words["second"]})


def shuffled(wanted: Sequence[T], seed: int = 0) -> list[T]:
    """The control: every clip gets another clip's prompt, as if the model had ignored what it was asked.

    Raises: InvalidRequest for fewer than two prompts.
    """
    if len(wanted) < 2:
        raise InvalidRequest(f"{len(wanted)} prompts cannot be shuffled.", "Give at least two.", field="wanted")
    order = np.random.default_rng(seed).permutation(len(wanted))
    given = list(wanted)
    for index, other in zip(order, np.roll(order, 1), strict=True):
        given[index] = wanted[other]
    return given


def chance(judge: ClipJudge) -> dict[str, float]:
    """Accuracy of a blind guess among the judge's words: of each head, and of TOGETHER's groups."""
    blind = {head: 1 / len(words) for head, words in judge.words.items()}
    return blind | {name: float(np.prod([blind[head] for head in group])) for name, group in TOGETHER.items()}


@torch.no_grad()
def _read(judge: ClipJudge, batch: list[Frames]) -> Reading:
    reading: Reading = judge(as_input(np.stack(batch)))
    return reading
