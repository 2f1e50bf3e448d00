"""How a model's answers change from step to step, once for each model (MagCache, arXiv 2506.09045, equation 5):

    python -m engines.backend.step_cache.calibrate MODEL [--steps 50] [--prompt TEXT …]

The residual of a call is what all blocks together add to the tokens. Its size, relative to that of the step before,
falls along nearly the same curve for every prompt; where it hardly falls, a step can be left out. The curve goes into
the model's card: written there for a model of one's own, printed for one of the catalogue.

Shape legend: B rows of the guidance, N tokens, D width.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from engines.backend.blocks import block_lists
from engines.backend.catalogue import LocalSource, ModelCard
from engines.backend.families.guided import guided_velocity
from engines.backend.families.video_family import VideoFamily
from engines.backend.geometry import LatentGeometry
from engines.backend.local_models import write_card
from engines.backend.registry import ModelRegistry
from engines.backend.step_cache.caching import know_blocks
from engines.command_line import exit_status
from engines.sampling.guidance import ClassifierFree
from engines.sampling.loop import sample
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import make_schedule, uniform
from engines.sampling.solvers import make_solver

PROMPTS = (
    "a fox bounces on a green field", "on the beach, an apple spins", "a penguin slides left in the snow",
    "a rocket circles at night",
)  # fmt: skip
STEPS, DIGITS = 50, 4


def residual_ratios(
    family: VideoFamily, geometry: LatentGeometry, prompts: Sequence[str], guidance_scale: float, steps: int = STEPS
) -> list[float]:
    """Size of each step's residual over that of the step before, averaged over tokens, rows and prompts; [steps].

    The first one is 1. Sampled with Euler steps along the model's own schedule, each prompt from noise of its own.
    """
    runs = [_sizes(family, geometry, prompt, guidance_scale, steps, seed) for seed, prompt in enumerate(prompts)]
    changes = torch.stack([(sizes[1:] / sizes[:-1].clamp_min(1e-8)).flatten(1).mean(1) for sizes in runs])
    return [1.0, *(round(ratio, DIGITS) for ratio in changes.mean(0).tolist())]


def _sizes(
    family: VideoFamily, geometry: LatentGeometry, prompt: str, guidance_scale: float, steps: int, seed: int
) -> Tensor:
    """Length of every token's residual, [steps, …]."""
    said, unsaid = (family.encode_prompt([text]) for text in (prompt, ""))
    velocity = guided_velocity(family, geometry, ClassifierFree(said, unsaid, guidance_scale))
    schedule = make_schedule("model", steps, geometry.tokens, family.scheduler_config)
    noise = gaussian_noise((1, geometry.tokens, family.channels), seed)
    with residual_sizes(family.speakers) as seen:
        sample(velocity, noise, uniform(schedule, geometry.tokens), make_solver("euler"))
    # Branches that are asked one after the other are several calls of one step.
    return torch.stack(seen).unflatten(0, (steps, -1))


@contextmanager
def residual_sizes(transformers: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """While it is entered, every call of a transformer adds the lengths of its tokens' residuals, [B, N]."""
    seen: list[Tensor] = []
    with ExitStack() as hooks:
        for transformer in transformers:
            blocks = _blocks(transformer)
            watch = _Watch(seen)
            hooks.callback(blocks[0].register_forward_pre_hook(watch.asked, with_kwargs=True).remove)
            hooks.callback(blocks[-1].register_forward_hook(watch.answered).remove)
        yield seen


class _Watch:
    def __init__(self, seen: list[Tensor]) -> None:
        self._seen = seen
        self._entered = torch.empty(0)

    def asked(self, block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        known = _metadata(block)
        self._entered = known._get_parameter_from_args_kwargs(known.hidden_states_argument_name, args, kwargs)

    def answered(self, block: nn.Module, _: Any, output: Any) -> None:
        left = output[_metadata(block).return_hidden_states_index] if isinstance(output, tuple) else output
        self._seen.append((left - self._entered).float().norm(dim=-1).cpu())


def _blocks(transformer: nn.Module) -> list[nn.Module]:
    know_blocks()
    return list(next(blocks for name, blocks in block_lists(transformer) if name in ("blocks", "transformer_blocks")))


def _metadata(block: nn.Module) -> Any:
    """Which argument and which of its answers are the tokens: diffusers knows for its block caches."""
    from diffusers.hooks._helpers import TransformerBlockRegistry

    return TransformerBlockRegistry.get(type(block))


def calibrated(models: ModelRegistry, model: str, prompts: Sequence[str], steps: int) -> ModelCard:
    """The model's card with its curve, at its own size, length and guidance."""
    card, family = models.catalogue.card(model), models.load(model)
    assert isinstance(family, VideoFamily)
    start = card.defaults
    geometry = family.geometry(start.height, start.width, start.frames, start.fps)
    ratios = residual_ratios(family, geometry, prompts, start.guidance_scale, steps)
    return card.model_copy(update={"facts": card.facts.model_copy(update={"mag_ratios": tuple(ratios)})})


def _run(arguments: argparse.Namespace) -> None:
    card = calibrated(ModelRegistry(), arguments.model, arguments.prompt or PROMPTS, arguments.steps)
    if isinstance(card.source, LocalSource):
        path = write_card(card)
        print(f"{card.title} can be rendered with MagCache from the next start; {path} holds its curve.")
    else:
        print(f"  mag_ratios: {list(card.facts.mag_ratios)}")


def main(given: Sequence[str] | None = None) -> int:
    """Returns: the exit status, 2 for what cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m engines.backend.step_cache.calibrate", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("model", help="id in the catalogue")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--prompt", action="append", help="may be given several times")
    arguments = parser.parse_args(given)
    return exit_status(lambda: _run(arguments))


if __name__ == "__main__":
    sys.exit(main())
