"""Loads models by catalogue id and keeps them. Local files and safetensors only; nothing is ever downloaded here."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from engines.backend.catalogue import Catalogue, HubSource, ModelCard, load_catalogue
from engines.backend.device import select_device
from engines.backend.families.base import Family
from engines.backend.families.ltx import LTXFamily
from engines.backend.model_files import locate
from engines.backend.precision import compute_dtype
from engines.backend.text_encoders import load_text_encoder
from engines.errors import NotAvailable
from engines.sampling.schedules import from_scheduler_config


class ModelRegistry:
    """The models of one process.

    Args:
        catalogue: Default: the committed one.
        device: Default: the best there is.
        dtype: Of the transformers. Default: what the precision probe says.
    """

    def __init__(
        self,
        catalogue: Catalogue | None = None,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.catalogue = catalogue if catalogue is not None else load_catalogue()
        self.device = device if device is not None else select_device()
        self.dtype = dtype if dtype is not None else compute_dtype(self.device)
        self._loaded: dict[str, Family] = {}
        self._lock = threading.Lock()

    def load(self, model: str) -> Family:
        """The model, loaded at the first call.

        Raises: InvalidRequest for an unknown id, NotAvailable if its files are not on this machine.
        """
        card = self.catalogue.card(model)
        with self._lock:
            if model not in self._loaded:
                self._loaded[model] = load_ltx(card, locate(card), self.device, self.dtype)
            return self._loaded[model]


def load_ltx(card: ModelCard, folder: Path, device: torch.device, dtype: torch.dtype) -> LTXFamily:
    """Loads a diffusers folder of the LTX family (also a training run's export).

    Args:
        card: Whose facts hold.
        folder: With model_index.json, transformer/, vae/, scheduler/ and, for T5, text_encoder/ and tokenizer/.
        device: Where everything computes.
        dtype: Of the transformer.

    Raises: NotAvailable if a part is missing or not in safetensors.
    """
    from diffusers import LTXVideoTransformer3DModel

    autoencoder_dtype = torch.float32 if card.facts.autoencoder_dtype == "float32" else dtype
    try:
        scheduler_config = _json(folder / "scheduler" / "scheduler_config.json")
        transformer = _load(LTXVideoTransformer3DModel, folder / "transformer", dtype)
        autoencoder = _load(_autoencoder_class(folder / "vae"), folder / "vae", autoencoder_dtype)
        text_encoder = load_text_encoder(card.facts, folder, device, dtype)
        from_scheduler_config(scheduler_config, steps=2, tokens=1)
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
    return LTXFamily(
        card,
        transformer.to(device),
        autoencoder.to(device),
        text_encoder,
        scheduler_config,
        weights_revision(card, folder),
    )


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


def _load(cls: Any, folder: Path, dtype: torch.dtype) -> Any:
    return cls.from_pretrained(folder, torch_dtype=dtype, use_safetensors=True, local_files_only=True)


def _autoencoder_class(folder: Path) -> Any:
    """By the class's name in config.json, from a closed table: a folder must not choose what Python imports."""
    name = _json(folder / "config.json").get("_class_name")
    if name == "AutoencoderKLLTXVideo":
        from diffusers import AutoencoderKLLTXVideo

        return AutoencoderKLLTXVideo
    if name == "PatchVideoAutoencoder":
        from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder

        return PatchVideoAutoencoder
    raise NotAvailable(
        f"The autoencoder class {name!r} of {folder} is not known.",
        "Use a folder with AutoencoderKLLTXVideo or PatchVideoAutoencoder.",
        field="model",
    )


def _json(path: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
