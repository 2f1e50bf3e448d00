"""One arm, in this process, as one line of JSON: python -m benchmarks.memory_plans.arms FOLDER ARM

An arm loads the model, reads a prompt, makes two steps and decodes. Bytes are counted twice: storages that live,
weights included from the moment they are used, and what the resident set grew by over what the libraries take. Weights
of a float32 checkpoint are mapped from their files: they count in the resident set, not in its anonymous part.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import torch

from engines.backend.families.guided import guided_velocity
from engines.backend.families.video_family import VideoFamily
from engines.backend.loading import load_family
from engines.backend.memory.meter import StorageMeter
from engines.backend.memory.plan import JobShape, MemoryPlan, Placement, possible_plans
from engines.backend.memory.small_weights import WeightFormat
from engines.backend.tiny import card_for
from engines.sampling.guidance import Unguided
from engines.sampling.loop import sample
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import from_scheduler_config, uniform
from engines.sampling.solvers import make_solver

PROMPT, STEPS, FPS = "a red fox bounces on a green field", 2, 24
HEIGHT, WIDTH, FRAMES = 192, 320, 17
PLANS = {
    "resident": (Placement.RESIDENT, WeightFormat.AS_COMPUTED),
    "text released": (Placement.TEXT_RELEASED, WeightFormat.AS_COMPUTED),
    "one part": (Placement.ONE_AT_A_TIME, WeightFormat.AS_COMPUTED),
    "offload": (Placement.BLOCK_BY_BLOCK, WeightFormat.AS_COMPUTED),
    "int8": (Placement.ONE_AT_A_TIME, WeightFormat.INT8),
    "fp8": (Placement.ONE_AT_A_TIME, WeightFormat.FP8),
    "int4": (Placement.ONE_AT_A_TIME, WeightFormat.INT4),
    "offload fp8": (Placement.BLOCK_BY_BLOCK, WeightFormat.FP8),
}
NAIVE = "naive"


class _ResidentSet:
    """The largest resident set while it is entered, looked at every few milliseconds."""

    def __enter__(self) -> _ResidentSet:
        self._process = psutil.Process()
        self.begin = self.peak = self._process.memory_info().rss
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()
        return self

    def _look(self) -> None:
        while not self._over.wait(0.003):
            self.peak = max(self.peak, self._process.memory_info().rss)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()


def count_when_used(meter: StorageMeter, *modules: torch.nn.Module) -> None:
    """Weights that lie in mapped files are counted once something computes with them."""
    for module in modules:
        for layer in module.modules():
            own = [*layer.parameters(recurse=False), *layer.buffers(recurse=False)]
            if own:
                layer.register_forward_pre_hook(
                    lambda used, _: meter.count([*used.parameters(recurse=False), *used.buffers(recurse=False)])
                )


def import_libraries() -> None:
    """Before anything is measured: what code takes is the same for every arm."""
    import diffusers
    import transformers

    for name in ("LTXPipeline", "LTXVideoTransformer3DModel", "AutoencoderKLLTXVideo"):
        getattr(diffusers, name)
    for name in ("T5EncoderModel", "AutoTokenizer"):
        getattr(transformers, name)
    torch.nn.functional.linear(torch.ones(64, 64), torch.ones(64, 64))


def plan_of(family: VideoFamily, arm: str) -> MemoryPlan:
    shape = JobShape(family.geometry(HEIGHT, WIDTH, FRAMES, FPS).grid, branches=1)
    return next(
        plan
        for plan in possible_plans(family.card, family.folder, shape, family.dtype)
        if (plan.placement, plan.weights) == PLANS[arm] and not plan.tiled and plan.feed_forward_pieces == 1
    )


def naive(folder: Path, meter: StorageMeter, stack: ExitStack) -> dict[str, float]:
    """Diffusers' pipeline, everything resident in float32."""
    from diffusers import LTXPipeline

    began = time.perf_counter()
    pipeline: Any = LTXPipeline.from_pretrained(folder, local_files_only=True, torch_dtype=torch.float32)
    loaded = time.perf_counter() - began
    pipeline.set_progress_bar_config(disable=True)
    for module in (pipeline.text_encoder, pipeline.transformer, pipeline.vae):
        meter.count([*module.parameters(), *module.buffers()])
    stack.enter_context(meter)
    pipeline(
        prompt=PROMPT, height=HEIGHT, width=WIDTH, num_frames=FRAMES, frame_rate=FPS, num_inference_steps=STEPS,
        guidance_scale=1.0, output_type="np",
    )  # fmt: skip
    return {"load_seconds": loaded, "planned": 0.0}


def ours(folder: Path, arm: str, meter: StorageMeter, stack: ExitStack) -> dict[str, float]:
    began = time.perf_counter()
    family = load_family(card_for(folder, "ltx_video"), folder, torch.device("cpu"), torch.float32)
    loaded = time.perf_counter() - began
    plan = plan_of(family, arm)
    family.residence.follow([plan])
    text: Any = family.text_encoder.get()
    count_when_used(meter, family.transformer, family.autoencoder, text.model)
    del text
    stack.enter_context(meter)
    geometry = family.geometry(HEIGHT, WIDTH, FRAMES, FPS)
    velocity = guided_velocity(family, geometry, Unguided(family.encode_prompt([PROMPT])))
    schedule = uniform(from_scheduler_config(family.scheduler_config, STEPS, geometry.tokens), geometry.tokens)
    start = gaussian_noise((1, geometry.tokens, family.channels), 3)
    tokens = sample(velocity, start, schedule, make_solver("euler"))
    for _ in family.decode(family.unpack(tokens, geometry)):
        pass
    return {"load_seconds": loaded, "planned": float(plan.peak)}


def measured(run: Callable[[StorageMeter, ExitStack], dict[str, float]]) -> dict[str, float]:
    import_libraries()
    meter = StorageMeter()
    with _ResidentSet() as resident, ExitStack() as stack:
        values = run(meter, stack)
    return values | {"storage_peak": float(meter.peak), "resident_peak": float(resident.peak - resident.begin)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory_plans.arms", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("arm", choices=[NAIVE, *PLANS])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    folder = arguments.folder
    run = partial(naive, folder) if arguments.arm == NAIVE else partial(ours, folder, arguments.arm)
    print(json.dumps(measured(run)))


if __name__ == "__main__":
    main()
