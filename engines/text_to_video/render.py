"""One take: a seed becomes latents and the latents become frames.

Shapes: tokens float32 [1, N, D]; latents float32 [1, C, T', H', W']; frames uint8 [T, H, W, 3].
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from torch import Tensor

from engines.backend.families.base import Family, PromptEmbedding
from engines.backend.families.guided import guided_velocity
from engines.backend.geometry import LatentGeometry
from engines.context import RunContext
from engines.sampling.guidance import ClassifierFree, Unguided, interval_of_steps
from engines.sampling.loop import Step, sample
from engines.sampling.noise import INITIAL, SeededNoise
from engines.sampling.schedules import make_schedule, uniform
from engines.sampling.solvers import make_solver
from engines.text_to_video.request import TextToVideoRequest


@dataclass(frozen=True)
class Prompts:
    """The request's prompts, encoded; uncond is None where guidance is off."""

    cond: PromptEmbedding
    uncond: PromptEmbedding | None


@dataclass(frozen=True)
class Take:
    """What was sampled for one seed.

    Attributes:
        latents: float32 [1, C, T', H', W'].
        evaluations: Model calls, guidance included.
        seconds: Of denoising, without previews.
    """

    latents: Tensor
    evaluations: int
    seconds: float


def encode_prompts(family: Family, request: TextToVideoRequest) -> Prompts:
    """Encodes what guidance needs: the prompt, and the negative (or empty) one if the scale is not 1."""
    cond = family.encode_prompt([request.prompt])
    if request.guidance_scale == 1:
        return Prompts(cond, None)
    return Prompts(cond, family.encode_prompt([request.negative_prompt]))


def sample_take(
    family: Family,
    request: TextToVideoRequest,
    geometry: LatentGeometry,
    prompts: Prompts,
    seed: int,
    context: RunContext,
    message: str = "",
) -> Take:
    """Denoises one seed with progress, previews and cancel at every step. Raises Cancelled."""
    schedule = make_schedule(request.schedule, request.steps, geometry.tokens, family.scheduler_config)
    noise = SeededNoise(seed, (1, geometry.tokens, family.channels), family.device)
    guided = guided_velocity(family, geometry, guidance_of(request, prompts, schedule))
    watch = _Watch(family, geometry, request.preview_every, context, message)
    context.step("denoising", 0, request.steps, message=message)
    started = time.perf_counter()
    tokens = sample(
        guided,
        noise(INITIAL),
        uniform(schedule, geometry.tokens),
        make_solver(solver_name(request, family)),
        noise,
        watch,
    )
    seconds = time.perf_counter() - started - watch.seconds
    return Take(family.unpack(tokens, geometry), guided.evaluations, seconds)


class _Watch:
    """Reports each step, now and then with a look at the estimate of the result."""

    def __init__(
        self, family: Family, geometry: LatentGeometry, preview_every: int, context: RunContext, message: str
    ) -> None:
        self._family = family
        self._geometry = geometry
        self._every = preview_every
        self._context = context
        self._message = message
        self.seconds = 0.0

    def __call__(self, step: Step) -> None:
        started = time.perf_counter()
        done = step.interval + 1
        preview = None
        if self._every and done % self._every == 0 and done < step.total:
            preview = self._family.preview(self._family.unpack(step.estimate(), self._geometry))
        self._context.step("denoising", done, step.total, preview, self._message)
        self.seconds += time.perf_counter() - started


def guidance_of(
    request: TextToVideoRequest, prompts: Prompts, schedule: Tensor
) -> ClassifierFree[PromptEmbedding] | Unguided[PromptEmbedding]:
    """The request's guidance, over its share of the schedule."""
    if prompts.uncond is None:
        return Unguided(prompts.cond)
    low, high = interval_of_steps(schedule, request.guidance_start, request.guidance_end)
    return ClassifierFree(prompts.cond, prompts.uncond, request.guidance_scale, low, high)


def solver_name(request: TextToVideoRequest, family: Family) -> str:
    """Few-step distilled checkpoints say in their scheduler's config that Euler must add noise anew at each step."""
    if request.solver == "euler" and family.scheduler_config.get("stochastic_sampling"):
        return "stochastic_euler"
    return request.solver
