"""What a step and a decoding need beside the weights, found by running them on tensors without content.

Meta tensors have shapes and sizes but no memory: any model, at any size, is gone through in a second or two, with the
very code that will run. Attention is taken to be fused (its scores are never laid out), as it is on every device here.

Shape legend: B batch (branches of the guidance), T', H', W' latent cells, C latent channels, L text tokens, E their
width.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engines.backend.families.latent_codec import decoded_bytes
from engines.backend.memory.feed_forward import in_pieces
from engines.backend.memory.meter import StorageMeter
from engines.backend.model_classes import HUNYUAN_PICTURE_TOKENS, autoencoder_class, transformer_class
from engines.backend.step_cache.caching import at_site, caching
from engines.backend.step_cache.kinds import StepCache
from engines.sampling.site import Site

Grid = tuple[int, int, int]
STEPS = 30  # what a step cache keeps does not depend on it
LAYERS = 2  # blocks are alike: the peak is reached within one, beside what passes from one to the next
CLIP_TOKENS = 257  # of a picture, for Wan 2.1
GLYPH_TOKENS = 256  # HunyuanVideo's second encoder always gives so many


class _ContentlessMeter(StorageMeter):
    """Answers what only content could tell: every question with yes, every mask as one that lets all through."""

    counts_meta = True

    def __init__(self) -> None:
        super().__init__()
        self._inverted: list[Tensor] = []

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func in _QUESTIONS:
            return True
        if func is torch.ops.aten.index.Tensor and len(args[1]) == 1 and args[1][0].dtype is torch.bool:
            values, (mask,) = args
            chosen = values.flatten(0, mask.dim() - 1)
            func, args = torch.ops.aten.clone.default, (chosen[:0] if self._is_inverted(mask) else chosen,)
        made = super().__torch_dispatch__(func, types, args, kwargs)
        if func is torch.ops.aten.bitwise_not.default:
            self._inverted.append(made)
        return made

    def _is_inverted(self, mask: Tensor) -> bool:
        return any(mask is inverted for inverted in self._inverted)


_QUESTIONS = {
    torch.ops.aten.item.default,
    torch.ops.aten.is_nonzero.default,
    torch.ops.aten._local_scalar_dense.default,
}


@cache
def denoising_bytes(
    family: str, folder: Path, grid: Grid, batch: int, text_tokens: int, dtype: torch.dtype, pieces: int = 1
) -> int:
    """Peak of what one call of the transformer makes, its inputs and its answer included.

    Args:
        folder: The transformer's, with its config.json.
        grid: T', H', W'.
        dtype: What it computes in.
        pieces: Of the feed-forward.
    """
    model = _short_transformer(family, folder, dtype)
    in_pieces(model, pieces)
    return _peak(lambda: model(**_INPUTS[family](model.config, grid, batch, text_tokens, dtype), return_dict=False))


@cache
def step_cache_bytes(
    family: str, folder: Path, grid: Grid, batch: int, text_tokens: int, dtype: torch.dtype, kind: StepCache,
    mag_ratios: tuple[float, ...] = (),
) -> int:  # fmt: skip
    """What a step cache keeps after two steps. The other arguments are those of `denoising_bytes`."""
    model = _short_transformer(family, folder, dtype)
    meter = _ContentlessMeter()
    with torch.inference_mode(), meter, caching([model], kind, STEPS, mag_ratios):
        for step in range(2):
            with at_site(model, Site(step, 0, 0.5)):
                model(**_INPUTS[family](model.config, grid, batch, text_tokens, dtype), return_dict=False)
        kept = meter.live
    # Some caches keep an answer of every layer, some of the first and the last block only.
    layers = _config(folder)["num_layers"] / min(LAYERS, _config(folder)["num_layers"])
    return int(kept * layers) if kind in ("taylor_seer", "attention_broadcast") else kept


def _short_transformer(family: str, folder: Path, dtype: torch.dtype) -> Any:
    config = _config(folder)
    short = {**config, "num_layers": min(LAYERS, config["num_layers"])}
    if "vace_layers" in config:
        short["vace_layers"] = [0]
    return _on_meta(transformer_class(family, folder), short, dtype)


@cache
def decoding_bytes(family: str, folder: Path, grid: Grid, dtype: torch.dtype, tiled: bool) -> int:
    """Peak of decoding latents into frames, at once or in tiles.

    Args:
        folder: The autoencoder's, with its config.json.
    """
    model = _on_meta(autoencoder_class(family, folder), _config(folder), dtype)
    if tiled and hasattr(model, "enable_tiling"):
        model.enable_tiling()
    channels = _latent_channels(model.config)
    return _peak(lambda: decoded_bytes(model, _empty(1, channels, *grid, dtype=dtype)))


def _peak(call: Callable[[], Any]) -> int:
    meter = _ContentlessMeter()
    with torch.inference_mode(), meter:
        made = call()
        del made
    return meter.peak


def _on_meta(kind: Any, config: Mapping[str, Any], dtype: torch.dtype) -> Any:
    with torch.device("meta"):
        model = kind.from_config(dict(config))
    return torch.nn.Module.to(model, dtype).eval()  # diffusers' own `to` warns of what matters to real weights only


def _config(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config


def _latent_channels(config: Any) -> int:
    return int(config.get("latent_channels") or config["z_dim"])


def _empty(*shape: int, dtype: torch.dtype) -> Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


def _ltx(config: Any, grid: Grid, batch: int, text_tokens: int, dtype: torch.dtype) -> dict[str, Tensor]:
    count = grid[0] * grid[1] * grid[2]
    return {
        "hidden_states": _empty(batch, count, config.in_channels, dtype=dtype),
        "encoder_hidden_states": _empty(batch, text_tokens, config.caption_channels, dtype=dtype),
        "timestep": _empty(batch, dtype=torch.float32),
        "encoder_attention_mask": _empty(batch, text_tokens, dtype=torch.float32),
        "video_coords": _empty(batch, 3, count, dtype=torch.float32),
    }


def _wan(config: Any, grid: Grid, batch: int, text_tokens: int, dtype: torch.dtype) -> dict[str, Tensor | None]:
    return {
        "hidden_states": _empty(batch, config.in_channels, *grid, dtype=dtype),
        "timestep": _empty(batch, dtype=torch.float32),
        "encoder_hidden_states": _empty(batch, text_tokens, config.text_dim, dtype=dtype),
        "encoder_hidden_states_image": _empty(batch, CLIP_TOKENS, config.image_dim, dtype=dtype)
        if config.image_dim
        else None,
        **_control(config, grid, batch, dtype),
    }


def _control(config: Any, grid: Grid, batch: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """Of Wan VACE."""
    channels = config.get("vace_in_channels")
    return {"control_hidden_states": _empty(batch, channels, *grid, dtype=dtype)} if channels else {}


def _cogvideox(config: Any, grid: Grid, batch: int, text_tokens: int, dtype: torch.dtype) -> dict[str, Any]:
    frames, height, width = grid
    tokens = frames * (height // config.patch_size) * (width // config.patch_size)
    rotary = tuple(_empty(tokens, config.attention_head_dim, dtype=torch.float32) for _ in range(2))
    return {
        "hidden_states": _empty(batch, frames, config.in_channels, height, width, dtype=dtype),
        "encoder_hidden_states": _empty(batch, text_tokens, config.text_embed_dim, dtype=dtype),
        "timestep": _empty(batch, dtype=torch.float32),
        "ofs": _empty(1, dtype=torch.float32) if config.ofs_embed_dim else None,
        "image_rotary_emb": rotary if config.use_rotary_positional_embeddings else None,
    }


def _hunyuan_video(config: Any, grid: Grid, batch: int, text_tokens: int, dtype: torch.dtype) -> dict[str, Tensor]:
    return {
        "hidden_states": _empty(batch, config.in_channels, *grid, dtype=dtype),
        "timestep": _empty(batch, dtype=dtype),
        "encoder_hidden_states": _empty(batch, text_tokens, config.text_embed_dim, dtype=dtype),
        "encoder_attention_mask": _empty(batch, text_tokens, dtype=dtype),
        "encoder_hidden_states_2": _empty(batch, GLYPH_TOKENS, config.text_embed_2_dim, dtype=dtype),
        "encoder_attention_mask_2": _empty(batch, GLYPH_TOKENS, dtype=dtype),
        "image_embeds": _empty(batch, HUNYUAN_PICTURE_TOKENS, config.image_embed_dim, dtype=dtype),
    }


_INPUTS: dict[str, Callable[[Any, Grid, int, int, torch.dtype], dict[str, Any]]] = {
    "ltx": _ltx, "wan": _wan, "cogvideox": _cogvideox, "hunyuan_video": _hunyuan_video,
}  # fmt: skip
