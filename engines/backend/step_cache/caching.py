"""Switches a step cache on for the steps of one job, on diffusers' hooks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from torch import nn

from engines.backend.step_cache.kinds import StepCache, step_caches
from engines.sampling.site import Site

# Attention and feed-forward of every block: diffusers' own patterns match nothing in LTX, Wan and CogVideoX.
LAYERS = [r".*blocks\.\d+\.attn\d?", r".*blocks\.\d+\.ff(n|_context)?"]


@contextmanager
def caching(
    transformers: Sequence[nn.Module], kind: StepCache, steps: int, mag_ratios: Sequence[float] = ()
) -> Iterator[None]:
    """While it is entered, the models answer with the cache.

    Args:
        transformers: All that the job asks.
        steps: Denoising steps of the job.
        mag_ratios: For "mag", how the size of the model's change of its input goes from one step to the next, over a
            whole run of any length.
    """
    if kind == "off":
        yield
        return
    try:
        for model in transformers:
            _enable(model, kind, steps, mag_ratios)
        yield
    finally:
        for model in transformers:
            _disable(model, kind)


def at_site(model: Any, at: Site) -> AbstractContextManager[None]:
    """Tells the model's cache which of its histories a call belongs to. Costs nothing where no cache is on."""
    if not _is_on(model):
        return nullcontext()
    name = f"{at.branch}, stage {at.stage}, window {at.window}"
    told: AbstractContextManager[None] = model.cache_context(name, step_index=at.interval, sigma=at.sigma)
    return told


def forget(model: Any) -> None:
    """What the model's cache keeps is dropped: a call that failed in the middle left half of an answer there."""
    if _is_on(model):
        model._reset_stateful_cache()


def _is_on(model: Any) -> bool:
    return bool(getattr(model, "is_cache_enabled", False)) or getattr(model, "framewright_broadcasts", False)


def _enable(model: Any, kind: StepCache, steps: int, mag_ratios: Sequence[float]) -> None:
    from diffusers.hooks import FirstBlockCacheConfig, MagCacheConfig, TaylorSeerCacheConfig

    settings = step_caches()[kind].settings
    if kind == "attention_broadcast":
        from engines.backend.step_cache.broadcast import Broadcast

        Broadcast(**settings).enable(model)
        model.framewright_broadcasts = True
        return
    know_blocks()
    if kind == "first_block":
        model.enable_cache(FirstBlockCacheConfig(**settings))
    elif kind == "mag":
        model.enable_cache(MagCacheConfig(**settings, num_inference_steps=steps, mag_ratios=list(mag_ratios)))
    else:
        model.enable_cache(
            TaylorSeerCacheConfig(**settings, cache_identifiers=LAYERS, taylor_factors_dtype=model.dtype)
        )


def _disable(model: Any, kind: StepCache) -> None:
    if not _is_on(model):
        return
    forget(model)
    if kind == "attention_broadcast":
        from engines.backend.step_cache.broadcast import Broadcast

        Broadcast.disable(model)
        del model.framewright_broadcasts
    else:
        model.disable_cache()


def know_blocks() -> None:
    """Tells diffusers what a block of HunyuanVideo 1.5 returns, which its block caches must know and do not."""
    from diffusers.hooks._helpers import TransformerBlockMetadata, TransformerBlockRegistry
    from diffusers.models.transformers.transformer_hunyuan_video15 import HunyuanVideo15TransformerBlock

    TransformerBlockRegistry.register(
        HunyuanVideo15TransformerBlock,
        TransformerBlockMetadata(return_hidden_states_index=0, return_encoder_hidden_states_index=1),
    )
