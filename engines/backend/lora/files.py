"""A LoRA file in any of the layouts in use, as pairs of matrices by the names of a diffusers transformer's layers.

Layouts: diffusers', peft's, the one with `diffusion_model.` (ComfyUI, the models' own trainers) and kohya's. Names that
are not diffusers' own go through its converters.

Shape legend: R rank, I inputs, O outputs of a layer.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from engines.errors import InvalidRequest

PREFIXES = ("transformer.", "base_model.model.", "diffusion_model.")
# How files end the name of a layer, → what of it that is.
ENDINGS = {
    ".lora_A.weight": "down", ".lora_down.weight": "down", ".lora.down.weight": "down",
    ".lora_B.weight": "up", ".lora_up.weight": "up", ".lora.up.weight": "up",
    ".lora_B.bias": "bias", ".alpha": "alpha",
}  # fmt: skip
OTHER_KINDS = {
    "dora_scale": "a DoRA", "lora_magnitude_vector": "a DoRA", ".lokr_": "a LoKr", ".hada_": "a LoHa",
    ".oft_": "an OFT",
}  # fmt: skip
ONLY = "Only LoRA files can be used, in .safetensors."


@dataclass(frozen=True)
class LowRank:
    """What is added to a linear layer: scale · up · (down · x) + bias.

    Attributes:
        down: [R, I]. up: [O, R]. bias: [O].
        scale: alpha / R, 1 where the file gives no alpha.
    """

    down: Tensor
    up: Tensor
    scale: float = 1.0
    bias: Tensor | None = None


def read_lora(file: Path, family: str) -> dict[str, LowRank]:
    """Layer's name → what is added to it.

    Args:
        family: Of the catalogue; it decides how names that are not diffusers' own are understood.

    Raises: InvalidRequest (field lora) for what is no LoRA file of a transformer, is cut off or is pickled.
    """
    stored, metadata = _stored(file)
    for mark, kind in OTHER_KINDS.items():
        if any(mark in name for name in stored):
            raise InvalidRequest(f"“{file.name}” is {kind}, not a LoRA.", ONLY, "lora")
    if any(name.startswith("text_encoder") or name.startswith("lora_te") for name in stored):
        raise InvalidRequest(
            f"“{file.name}” also changes the text encoder, which is not supported.",
            "Take one that was trained on the transformer alone.",
            "lora",
        )
    parts: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for name, value in _in_diffusers_names(stored, family, file).items():
        layer, what = _split(name, file)
        parts[layer][what] = value
    settings = _settings(metadata)
    found = {layer: _low_rank(layer, each, settings, file) for layer, each in parts.items()}
    if not found:
        raise InvalidRequest(f"“{file.name}” is no LoRA: it holds no weights.", ONLY, "lora")
    return found


def _stored(file: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    if file.suffix.lower() != ".safetensors":
        raise InvalidRequest(
            f"“{file.name}” is no .safetensors file.",
            "Pickles (.pt, .ckpt, .bin) can run anything when they are opened; take another file.",
            "lora",
        )
    try:
        with safe_open(file, framework="pt") as opened:
            return {name: opened.get_tensor(name) for name in opened.keys()}, dict(opened.metadata() or {})  # noqa: SIM118
    except FileNotFoundError as error:
        raise InvalidRequest(f"There is no file {file}.", "Check the path.", "lora") from error
    except (OSError, SafetensorError) as error:
        raise InvalidRequest(
            f"“{file.name}” cannot be read: {error}.", "It may be cut off: fetch it again and compare its size.", "lora"
        ) from error


def _in_diffusers_names(stored: dict[str, Tensor], family: str, file: Path) -> dict[str, Tensor]:
    """Through diffusers' own converters where the file was made by something else."""
    # They fold alpha into the matrices of some layouts and stumble over it in others.
    foreign = any(
        name.startswith(("diffusion_model.", "lora_unet_", "double_blocks.", "single_blocks.")) for name in stored
    )
    if not foreign:
        return stored
    try:
        converted: dict[str, Tensor] = _loader(family).lora_state_dict(dict(stored))
    except Exception as error:  # they raise whatever they stumble over
        raise InvalidRequest(
            f"“{file.name}” is no LoRA of a {family} model: its names cannot be brought to that model's "
            f"({type(error).__name__}).",
            "Choose a LoRA for this model.",
            "lora",
        ) from error
    return converted


def _loader(family: str) -> Any:
    from diffusers.loaders import lora_pipeline

    return {
        "ltx": lora_pipeline.LTXVideoLoraLoaderMixin,
        "wan": lora_pipeline.WanLoraLoaderMixin,
        "cogvideox": lora_pipeline.CogVideoXLoraLoaderMixin,
        "hunyuan_video": lora_pipeline.HunyuanVideoLoraLoaderMixin,
    }[family]


def _split(name: str, file: Path) -> tuple[str, str]:
    """A tensor's name → its layer's name, what of it that is."""
    for ending, what in ENDINGS.items():
        if name.endswith(ending):
            layer = name.removesuffix(ending)
            for prefix in PREFIXES:
                layer = layer.removeprefix(prefix)
            return layer, what
    raise InvalidRequest(f"“{file.name}” is no LoRA: it holds “{name}”.", ONLY, "lora")


def _settings(metadata: Mapping[str, str]) -> dict[str, Any]:
    """What peft was set to, as diffusers writes it into a file."""
    try:
        given = json.loads(metadata.get("lora_adapter_metadata", "{}"))
    except json.JSONDecodeError:
        return {}
    return {str(key).removeprefix("transformer."): value for key, value in given.items()}


def _low_rank(layer: str, parts: Mapping[str, Tensor], settings: Mapping[str, Any], file: Path) -> LowRank:
    if not {"down", "up"} <= parts.keys() or parts["down"].dim() != 2 or parts["up"].dim() != 2:
        raise InvalidRequest(
            f"“{file.name}” has no pair of matrices for {layer}.",
            "It may be cut off, or made for other layers.",
            "lora",
        )
    down, up = parts["down"], parts["up"]
    rank = down.shape[0]
    if up.shape[1] != rank:
        raise InvalidRequest(
            f"“{file.name}” is damaged: the matrices of {layer} have ranks {rank} and {up.shape[1]}.",
            "Fetch it again.",
            "lora",
        )
    return LowRank(down, up, _scale(layer, parts, settings, rank), parts.get("bias"))


def _scale(layer: str, parts: Mapping[str, Tensor], settings: Mapping[str, Any], rank: int) -> float:
    if "alpha" in parts:
        return float(parts["alpha"]) / rank
    alpha = settings.get("alpha_pattern", {}).get(layer, settings.get("lora_alpha", rank))
    root = rank**0.5 if settings.get("use_rslora") else rank
    return float(alpha) / root
