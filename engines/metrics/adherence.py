"""Does the clip show what the prompt says? Asked of a judge that reads noun, motion and scene.

Shape legend: N clips, T frames, H rows, W columns, F features. Benchmarks ask Judge B, which nothing was
trained or selected with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from engines.diorama.clip_spec import Combination
from engines.diorama.judge.model import ClipJudge, Reading, pick_frames
from engines.errors import InvalidRequest, NotAvailable
from engines.metrics.checks import Frames, check_clip, check_finite

JUDGE_SIDE = 96
_BATCH = 16


@dataclass(frozen=True)
class Labels:
    """What a judge sees in one clip, and how probable it holds it, 0 … 1."""

    noun: str
    motion: str
    scene: str
    noun_probability: float
    motion_probability: float
    scene_probability: float


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
    """Logits [N, classes] and features [N, F] of all clips, float32, in their order.

    Args:
        clips: Each uint8 [T, H, W, 3] with H = W (scaled to 96 × 96); 9 frames are read, evenly over the clip. A
            picture (T = 1) is read as a clip that stands still.

    Raises: InvalidRequest if there is no clip, or one is empty or not square.
    """
    readings, batch = [], []
    for clip in clips:
        batch.append(_as_input(clip))
        if len(batch) == _BATCH:
            readings.append(_read(judge, batch))
            batch = []
    if batch:
        readings.append(_read(judge, batch))
    if not readings:
        raise InvalidRequest("There is no clip to read.", "Give at least one clip.", field="clips")
    return Reading(
        noun=torch.cat([reading.noun for reading in readings]),
        motion=torch.cat([reading.motion for reading in readings]),
        scene=torch.cat([reading.scene for reading in readings]),
        features=torch.cat([reading.features for reading in readings]),
    )


def labels_of(judge: ClipJudge, reading: Reading) -> list[Labels]:
    """The most probable class of each head for every clip. Raises InvalidRequest if a logit is NaN or infinite."""
    heads = []
    for logits, names in (
        (reading.noun, judge.config.nouns),
        (reading.motion, judge.config.motions),
        (reading.scene, judge.config.scenes),
    ):
        check_finite(logits.numpy(), "logits")
        probability, index = logits.softmax(1).max(1)
        heads.append([(str(names[i]), float(p)) for i, p in zip(index.tolist(), probability.tolist(), strict=True)])
    return [
        Labels(noun, motion, scene, noun_p, motion_p, scene_p)
        for (noun, noun_p), (motion, motion_p), (scene, scene_p) in zip(*heads, strict=True)
    ]


def read_clips(judge: ClipJudge, clips: Iterable[Frames]) -> list[Labels]:
    """What the judge sees in each clip; arguments and errors as `judge_clips`."""
    return labels_of(judge, judge_clips(judge, clips))


def read_clip(judge: ClipJudge, frames: Frames) -> Labels:
    """What the judge sees in one clip; arguments and errors as `judge_clips`."""
    return read_clips(judge, [frames])[0]


def adherence(seen: Sequence[Labels], wanted: Sequence[Combination]) -> dict[str, npt.NDArray[np.float64]]:
    """1 where the clip shows what was wanted, 0 where not: "noun", "motion", "scene" and "all_three", each float64 [N].

    Their means are the accuracies; `mean_with_interval` says how sure they are.

    Raises: InvalidRequest if there is no clip, or the numbers of both differ.
    """
    if not seen or len(seen) != len(wanted):
        raise InvalidRequest(
            f"{len(seen)} clips were read but {len(wanted)} are wanted.",
            "Give one (noun, motion, scene) for each clip, and at least one.",
            field="wanted",
        )
    right = np.array(
        [
            (labels.noun == noun, labels.motion == motion, labels.scene == scene)
            for labels, (noun, motion, scene) in zip(seen, wanted, strict=True)
        ],
        dtype=np.float64,
    )
    return {"noun": right[:, 0], "motion": right[:, 1], "scene": right[:, 2], "all_three": right.min(1)}


def shuffled(wanted: Sequence[Combination], seed: int = 0) -> list[Combination]:
    """The control: every clip gets another clip's prompt, as if the model had ignored what it was asked.

    Raises: InvalidRequest for fewer than two prompts.
    """
    if len(wanted) < 2:
        raise InvalidRequest(f"{len(wanted)} prompts cannot be shuffled.", "Give at least two.", field="wanted")
    order = np.random.default_rng(seed).permutation(len(wanted))
    given: list[Combination] = list(wanted)
    for index, other in zip(order, np.roll(order, 1), strict=True):
        given[index] = wanted[other]
    return given


def chance(judge: ClipJudge) -> dict[str, float]:
    """Accuracy of a blind guess among the judge's classes, for "noun", "motion", "scene" and "all_three"."""
    noun, motion, scene = (1 / len(judge.config[name]) for name in ("nouns", "motions", "scenes"))
    return {"noun": noun, "motion": motion, "scene": scene, "all_three": noun * motion * scene}


def _as_input(clip: Frames) -> torch.Tensor:
    """float32 [9, 3, 96, 96] in −1 … 1."""
    check_clip(clip, "clips")
    height, width = clip.shape[1:3]
    if height != width:
        raise InvalidRequest(
            f"A clip of {width} × {height} pixels was given to the judge, which reads squares.",
            "Cut a square that holds the object, or render squares.",
            field="clips",
        )
    picked = np.stack([_scaled(frame) for frame in pick_frames(clip)])
    return torch.from_numpy(picked).permute(0, 3, 1, 2).float() / 127.5 - 1


def _scaled(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    if len(frame) == JUDGE_SIDE:
        return frame
    how = cv2.INTER_AREA if len(frame) > JUDGE_SIDE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(frame, (JUDGE_SIDE, JUDGE_SIDE), interpolation=how), dtype=np.uint8)


@torch.no_grad()
def _read(judge: ClipJudge, batch: list[torch.Tensor]) -> Reading:
    reading: Reading = judge(torch.stack(batch))
    return reading
