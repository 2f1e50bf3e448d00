"""One clip of the bundled model, the same for every switch.

Shapes: tokens [1, N, C]; frames uint8 [T, H, W, 3].
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from benchmarks.held_out.rendering import Frames, bundled, decoded, geometry_of, guidance_of, request_for
from engines.backend.families.guided import guided_velocity
from engines.diorama.theatre.spec import SceneSpec
from engines.sampling.loop import Step, sample
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import make_schedule, uniform
from engines.sampling.solvers import make_solver


def sampled_tokens(spec: SceneSpec, steps: int, on_step: Callable[[Step], None] | None = None) -> Tensor:
    """Of the scene's caption, from noise of the scene's seed, as the family is laid now."""
    family, geometry = bundled(), geometry_of(spec)
    schedule = make_schedule("model", steps, geometry.tokens, family.scheduler_config)
    start = gaussian_noise((1, geometry.tokens, family.channels), seed=spec.seed)
    velocity = guided_velocity(family, geometry, guidance_of(request_for(spec)))
    return sample(velocity, start, uniform(schedule, geometry.tokens), make_solver("euler"), on_step=on_step)


def frames_of(tokens: Tensor, spec: SceneSpec) -> Frames:
    return decoded(bundled().unpack(tokens, geometry_of(spec)))
