"""Loads a diffusers folder of any family. Local files and safetensors only.

The folder names its classes; which of them are loaded is decided here, from closed tables: a folder must not choose
what Python imports.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engines.backend.catalogue import HubSource, ModelCard
from engines.backend.families.checkpoint import Checkpoint
from engines.backend.families.cogvideox import CogVideoXFamily
from engines.backend.families.hunyuan_video import HunyuanVideoFamily
from engines.backend.families.ltx import LTXFamily
from engines.backend.families.video_family import VideoFamily
from engines.backend.families.wan import WanFamily
from engines.backend.text_encoders import load_text_encoder
from engines.errors import NotAvailable
from engines.sampling.schedules import from_scheduler_config

TRANSFORMERS = {
    "ltx": "LTXVideoTransformer3DModel", "wan": "WanTransformer3DModel",
    "cogvideox": "CogVideoXTransformer3DModel", "hunyuan_video": "HunyuanVideo15Transformer3DModel",
}  # fmt: skip
AUTOENCODERS = {
    "ltx": ("AutoencoderKLLTXVideo", "PatchVideoAutoencoder"),
    "wan": ("AutoencoderKLWan",),
    "cogvideox": ("AutoencoderKLCogVideoX",),
    "hunyuan_video": ("AutoencoderKLHunyuanVideo15",),
}


@dataclass(frozen=True)
class _Place:
    """Where and in what a model is loaded."""

    card: ModelCard
    folder: Path
    device: torch.device
    dtype: torch.dtype


def load_family(card: ModelCard, folder: Path, device: torch.device, dtype: torch.dtype) -> VideoFamily:
    """Loads a diffusers folder (also a training run's export).

    Args:
        card: Whose family and facts hold.
        folder: With model_index.json, transformer/, vae/, scheduler/ and, where the card's text encoder is not bundled,
            text_encoder/ and tokenizer/; Wan 2.2 with two experts also transformer_2/.
        device: Where everything computes.
        dtype: Of the transformer.

    Raises: NotAvailable if a part is missing, not in safetensors, of another class, or contradicts the card.
    """
    place = _Place(card, folder, device, dtype)
    try:
        return _FAMILIES[card.family](place)
    except ValueError as error:
        raise NotAvailable(
            f"{card.title} cannot be sampled: {error}.", "Choose another model.", field="model"
        ) from error
    except OSError as error:
        raise NotAvailable(
            f"The files of {card.title} in {folder} are incomplete: {error}",
            "Bring the whole model again; weights must be .safetensors files.",
            field="model",
        ) from error


def _ltx(place: _Place) -> VideoFamily:
    return LTXFamily(_checkpoint(place))


def _cogvideox(place: _Place) -> VideoFamily:
    return CogVideoXFamily(_checkpoint(place))


def _wan(place: _Place) -> VideoFamily:
    boundary = _json(place.folder / "model_index.json").get("boundary_ratio")
    second = place.folder / "transformer_2"
    low_noise = _load(TRANSFORMERS["wan"], second, place.dtype).to(place.device) if boundary is not None else None
    return WanFamily(_checkpoint(place), low_noise=low_noise, boundary=boundary)


def _hunyuan_video(place: _Place) -> VideoFamily:
    return HunyuanVideoFamily(_checkpoint(place))


_FAMILIES: dict[str, Callable[[_Place], VideoFamily]] = {
    "ltx": _ltx, "wan": _wan, "cogvideox": _cogvideox, "hunyuan_video": _hunyuan_video,
}  # fmt: skip


def _checkpoint(place: _Place) -> Checkpoint:
    card, folder = place.card, place.folder
    autoencoder_dtype = torch.float32 if card.facts.autoencoder_dtype == "float32" else place.dtype
    scheduler_config = _json(folder / "scheduler" / "scheduler_config.json")
    autoencoder = _load(_autoencoder_class(card, folder / "vae"), folder / "vae", autoencoder_dtype)
    checkpoint = Checkpoint(
        card,
        _load(TRANSFORMERS[card.family], folder / "transformer", place.dtype).to(place.device),
        autoencoder.to(place.device),
        load_text_encoder(card.facts, folder, place.device, place.dtype),
        scheduler_config,
        weights_revision(card, folder),
    )
    from_scheduler_config(scheduler_config, steps=2, tokens=1)
    return checkpoint


def weights_revision(card: ModelCard, folder: Path) -> str:
    """The hub commit (a snapshot folder is named after it), or a hash over the safetensors files, 16 hex digits."""
    if isinstance(card.source, HubSource):
        return folder.name
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")):
        digest.update(path.relative_to(folder).as_posix().encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]


def _load(name: str, folder: Path, dtype: torch.dtype) -> Any:
    return _class(name).from_pretrained(folder, torch_dtype=dtype, use_safetensors=True, local_files_only=True)


def _class(name: str) -> Any:
    if name == "PatchVideoAutoencoder":
        from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder

        return PatchVideoAutoencoder
    import diffusers

    return getattr(diffusers, name)


def _autoencoder_class(card: ModelCard, folder: Path) -> str:
    name = str(_json(folder / "config.json").get("_class_name"))
    known = AUTOENCODERS[card.family]
    if name not in known:
        raise NotAvailable(
            f"The autoencoder class {name!r} of {folder} is not known.",
            f"Use a folder with {' or '.join(known)}.",
            field="model",
        )
    return name


def _json(path: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
