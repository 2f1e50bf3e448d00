"""What the bundled model makes of a held-out scene's caption, kept on disk so that a killed run keeps its clips.

Shape legend: clips are uint8 [T, H, W, 3].
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.shared.versions import PROJECT_ROOT, code_revision, weights_hash
from engines.backend.families.base import LatentGeometry, PromptEmbedding
from engines.backend.families.ltx import LTXFamily
from engines.backend.model_files import ADAPTERS
from engines.backend.registry import ModelRegistry
from engines.context import RunContext
from engines.diorama.judge import JUDGES_FOLDER
from engines.diorama.judge.model import ClipJudge
from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.relations import relation_of
from engines.diorama.theatre.spec import SceneSpec, Thing
from engines.metrics.adherence import load_judge, read_clip, stands_as_said
from engines.sampling.guidance import ClassifierFree
from engines.text_to_video.render import encode_prompts, sample_take
from engines.text_to_video.request import TextToVideoRequest

Frames = npt.NDArray[np.uint8]
WEIGHTS = ("assets/models/diorama", "assets/models/judges/b")
CODE = (
    "engines/sampling", "engines/backend", "engines/conditioning", "engines/text_to_video", "engines/diorama",
    "engines/metrics", "benchmarks/held_out",
)  # fmt: skip
BESIDE = Path(WEIGHTS[0]) / ADAPTERS
FIRST_SEED = 900_000
WORK = PROJECT_ROOT / "benchmarks" / "work" / "held_out"  # ignored


@cache
def bundled() -> LTXFamily:
    family = ModelRegistry().load("diorama")
    assert isinstance(family, LTXFamily)
    return family


@cache
def judge_b() -> ClipJudge:
    return load_judge(JUDGES_FOLDER / "b")


def scene_name(spec: SceneSpec) -> str:
    """Names a scene for good: its caption, size and seed."""
    return f"{caption(spec).text}, {spec.width} × {spec.height} × {spec.frames}, seed {spec.seed}"


def request_for(spec: SceneSpec, **changes: Any) -> TextToVideoRequest:
    """The scene's caption with the request's defaults, in the scene's size."""
    size = {"width": spec.width, "height": spec.height, "frames": spec.frames}
    return TextToVideoRequest(prompt=caption(spec).text, seed=spec.seed, preview_every=0, **{**size, **changes})


def geometry_of(spec: SceneSpec) -> LatentGeometry:
    return bundled().geometry(spec.height, spec.width, spec.frames, spec.fps)


def rendered(spec: SceneSpec) -> Frames:
    """The clip that a person gets for this prompt."""
    return kept(scene_name(spec), lambda: _render(spec))


def _render(spec: SceneSpec) -> Frames:
    family, request = bundled(), request_for(spec)
    prompts, context = encode_prompts(family, request), RunContext(work_folder=WORK)
    take = sample_take(family, request, geometry_of(spec), prompts, request.seed, context)
    return decoded(take.latents)


def kept(name: str, make: Callable[[], npt.NDArray[Any]], code: tuple[str, ...] = ()) -> npt.NDArray[Any]:
    """What was made, once for the same weights and code: another judge may read it again.

    Args:
        code: Files and folders that it depends on beside CODE.
    """
    path = WORK / versions(code) / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.npy"
    if not path.exists():
        made = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, made)
    return np.asarray(np.load(path))


@cache
def versions(code: tuple[str, ...] = ()) -> str:
    """What the rendered clips depend on; `code` beside CODE."""
    return f"{weights_hash(WEIGHTS[:1])}-{code_revision((*CODE, *code))}"


def reading(frames: Frames) -> dict[str, str]:
    """What Judge B says: head → word."""
    return dict(read_clip(judge_b(), frames).words)


def arranged(frames: Frames, spec: SceneSpec) -> float:
    """1 where Judge B sees both things, each where the scene's caption says."""
    first, second = spec.actors
    assert isinstance(first, Thing)
    assert isinstance(second, Thing)
    relation = relation_of(first, second)
    return float(stands_as_said(read_clip(judge_b(), frames), first.noun, relation, second.noun))


def round_trip(frames: Frames) -> Frames:
    """Through the tokenizer and back."""
    return decoded(bundled().encode(frames))


def decoded(latents: torch.Tensor) -> Frames:
    """All frames of latents [1, C, T', H', W']."""
    return np.concatenate(list(bundled().decode(latents)))


def guidance_of(request: TextToVideoRequest) -> ClassifierFree[PromptEmbedding]:
    """The request's own guidance, over the whole schedule."""
    prompts = encode_prompts(bundled(), request)
    assert prompts.uncond is not None
    return ClassifierFree(prompts.cond, prompts.uncond, request.guidance_scale)
