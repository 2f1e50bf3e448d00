"""Schedules of the noise level: float32 [steps + 1], from 1 strictly falling to exactly 0.

Computed in float64, because that is what keeps the last digits equal to diffusers'. Knows no model; what a checkpoint
wants arrives as the plain data of its scheduler_config.json.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from engines.sampling.alphas import AlphaLevels

# LTX-Video (arXiv:2501.00103, section 3.1 and its scheduler config): shift by the number of latent tokens.
LTX_DYNAMIC_SHIFT = {"base_tokens": 1024, "max_tokens": 4096, "base_shift": 0.95, "max_shift": 2.05}


def linear(steps: int) -> Tensor:
    """Equal steps from 1 to 0."""
    _require(steps)
    return _finish(torch.linspace(1, 0, steps + 1, dtype=torch.float64))


def shifted(steps: int, shift: float, terminal: float | None = None) -> Tensor:
    """σ' = s·σ / (1 + (s − 1)·σ) on equal steps (Esser et al. 2024, arXiv:2403.03206, eq. 23).

    Args:
        steps: At least 1.
        shift: s > 0; above 1 more steps fall on high noise.
        terminal: If given, 1 − σ is stretched so that the last level before 0 is this (LTX-Video: 0.1). With one step
            there is no level between 1 and 0 to stretch.
    """
    _require(steps)
    if shift <= 0:
        raise ValueError(f"shift must be positive, got {shift}")
    sigmas = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    sigmas = shift * sigmas / (1 + (shift - 1) * sigmas)
    if terminal is not None and steps > 1:
        sigmas = 1 - (1 - sigmas) * (1 - terminal) / (1 - sigmas[-2])
        sigmas[-1] = 0
    return _finish(sigmas)


def dynamic_shift(tokens: int, base_tokens: int, max_tokens: int, base_shift: float, max_shift: float) -> float:
    """The exponent μ of the shift s = e^μ, linear in the number of latent tokens (row 18; LTX-Video, Flux)."""
    slope = (max_shift - base_shift) / (max_tokens - base_tokens)
    return base_shift + slope * (tokens - base_tokens)


def linear_quadratic(steps: int, threshold: float = 0.025) -> Tensor:
    """Half of the steps fall linearly through the first `threshold`, the rest quadratically (Movie Gen,
    arXiv:2410.13720, section 3.4.2; LTX-Video).
    """
    _require(steps)
    if steps == 1:
        return linear(1)
    first = steps // 2
    rest = steps - first
    excess = first - threshold * steps
    quadratic = excess / (first * rest**2)
    slope = threshold / first - 2 * excess / rest**2
    index = torch.arange(steps + 1, dtype=torch.float64)
    passed = torch.where(
        index < first, index * threshold / first, quadratic * index**2 + slope * index + quadratic * first**2
    )
    passed[-1] = 1
    return _finish(1 - passed)


def from_scheduler_config(config: Mapping[str, Any], steps: int, tokens: int) -> Tensor:
    """What a checkpoint's scheduler_config.json says, for FlowMatchEulerDiscreteScheduler, UniPC with flow sigmas (Wan)
    and the schedulers of CogVideoX.

    Of the first equal to diffusers' `set_timesteps(sigmas=linspace(1, 1/n, n), mu=…)` as LTXPipeline calls it. (Its
    `set_timesteps(n)` without sigmas shifts the smallest level twice.)

    Args:
        config: The JSON as a mapping; absent keys have diffusers' defaults.
        steps: At least 1.
        tokens: Latent tokens of the video, for the dynamic shift.

    Raises: ValueError if the config asks for something that this does not follow.
    """
    followed = {
        "FlowMatchEulerDiscreteScheduler": _flow_match,
        "UniPCMultistepScheduler": _unipc,
        "CogVideoXDDIMScheduler": _alphas,
        "CogVideoXDPMScheduler": _alphas,
    }
    name = config.get("_class_name", "FlowMatchEulerDiscreteScheduler")
    if name not in followed:
        raise ValueError(f"scheduler {name} is not followed, only {', '.join(followed)}")
    _require(steps)
    return followed[name](config, steps, tokens)


def _alphas(config: Mapping[str, Any], steps: int, tokens: int) -> Tensor:
    return _finish(AlphaLevels.of(config).trailing(steps, str(config.get("timestep_spacing", "leading"))))


def _unipc(config: Mapping[str, Any], steps: int, tokens: int) -> Tensor:
    """Its levels, on the first of which it stands a millionth below 1; the solver is the request's own."""
    if not config.get("use_flow_sigmas") or config.get("use_dynamic_shifting"):
        raise ValueError("UniPCMultistepScheduler is followed with use_flow_sigmas and a fixed flow_shift only")
    shift = float(config.get("flow_shift", 1.0))
    train = int(config.get("num_train_timesteps", 1000))
    sigmas = torch.linspace(1, 1 / train, steps + 1, dtype=torch.float64)[:-1]
    return _finish(torch.cat([shift * sigmas / (1 + (shift - 1) * sigmas), torch.zeros(1, dtype=torch.float64)]))


def _flow_match(config: Mapping[str, Any], steps: int, tokens: int) -> Tensor:
    for unsupported in ("invert_sigmas", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"):
        if config.get(unsupported):
            raise ValueError(f"scheduler option {unsupported} is not followed")
    shift = float(config.get("shift", 1.0))
    if config.get("use_dynamic_shifting"):
        mu = dynamic_shift(
            tokens,
            int(config.get("base_image_seq_len", 256)),
            int(config.get("max_image_seq_len", 4096)),
            float(config.get("base_shift", 0.5)),
            float(config.get("max_shift", 1.15)),
        )
        shift = math.exp(mu) if config.get("time_shift_type", "exponential") == "exponential" else mu
    terminal = config.get("shift_terminal")
    return shifted(steps, shift, float(terminal) if terminal else None)


def make_schedule(name: str, steps: int, tokens: int, config: Mapping[str, Any]) -> Tensor:
    """The schedule that a request names: "model", "linear", "shifted" or "linear_quadratic".

    Returns: float32 [steps + 1]. Raises: ValueError for an unknown name.
    """
    if name == "model":
        return from_scheduler_config(config, steps, tokens)
    if name == "linear":
        return linear(steps)
    if name == "shifted":
        return shifted(steps, math.exp(dynamic_shift(tokens, **LTX_DYNAMIC_SHIFT)))  # type: ignore[arg-type]
    if name == "linear_quadratic":
        return linear_quadratic(steps)
    raise ValueError(f"unknown schedule {name!r}")


def uniform(sigmas: Tensor, tokens: int) -> Tensor:
    """The same level for every token: [steps + 1] → [steps + 1, tokens]."""
    return sigmas.unsqueeze(1).expand(-1, tokens)


def _require(steps: int) -> None:
    if steps < 1:
        raise ValueError(f"a schedule has at least 1 step, got {steps}")


def _finish(sigmas: Tensor) -> Tensor:
    result = sigmas.to(torch.float32)
    if not bool((result[1:] < result[:-1]).all()) or float(result[-1]) != 0:
        raise ValueError(f"the schedule does not fall strictly to 0: {result.tolist()}")
    return result
