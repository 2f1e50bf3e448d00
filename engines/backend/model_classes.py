"""Which diffusers classes a folder of a family may hold.

Closed tables: a folder must not choose what Python imports.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from engines.backend.catalogue import Facts
from engines.errors import NotAvailable

HUNYUAN_PICTURE_TOKENS = 729  # of SigLIP at 384 × 384, which stand for a first frame in HunyuanVideo 1.5

TRANSFORMERS = {
    "ltx": ("LTXVideoTransformer3DModel",),
    "wan": ("WanTransformer3DModel", "WanVACETransformer3DModel"),
    "cogvideox": ("CogVideoXTransformer3DModel",),
    "hunyuan_video": ("HunyuanVideo15Transformer3DModel",),
}
AUTOENCODERS = {
    "ltx": ("AutoencoderKLLTXVideo", "PatchVideoAutoencoder"),
    "wan": ("AutoencoderKLWan",),
    "cogvideox": ("AutoencoderKLCogVideoX",),
    "hunyuan_video": ("AutoencoderKLHunyuanVideo15",),
}


def transformer_class(family: str, folder: Path) -> Any:
    """The class that a transformer's folder names. Raises NotAvailable if the family knows no such class."""
    return _named_class(folder, TRANSFORMERS[family], "transformer")


def autoencoder_class(family: str, folder: Path) -> Any:
    """The class that an autoencoder's folder names. Raises NotAvailable if the family knows no such class."""
    return _named_class(folder, AUTOENCODERS[family], "autoencoder")


def _named_class(folder: Path, known: tuple[str, ...], part: str) -> Any:
    name = str(json.loads((folder / "config.json").read_text(encoding="utf-8")).get("_class_name"))
    if name not in known:
        raise NotAvailable(
            f"The {part} class {name!r} of {folder} is not known.",
            f"Use a folder with {' or '.join(known)}.",
            field="model",
        )
    return _class(name)


def autoencoder_dtype(facts: Facts, transformer: torch.dtype) -> torch.dtype:
    """What the autoencoder computes in beside a transformer in that format."""
    return torch.float32 if facts.autoencoder_dtype == "float32" else transformer


def _class(name: str) -> Any:
    if name == "PatchVideoAutoencoder":
        from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder

        return PatchVideoAutoencoder
    import diffusers

    return getattr(diffusers, name)
