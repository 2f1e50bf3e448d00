"""Loads a diffusers folder of any family. Local files and safetensors only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engines.backend.attention.kernels import use_wanted_kernel
from engines.backend.catalogue import HubSource, LoraCard, ModelCard
from engines.backend.families.checkpoint import Checkpoint
from engines.backend.families.cogvideox import CogVideoXFamily
from engines.backend.families.hunyuan_video import HunyuanVideoFamily
from engines.backend.families.ltx import LTXFamily
from engines.backend.families.video_family import VideoFamily
from engines.backend.families.wan import WanFamily
from engines.backend.families.wan_vace import WanVACEFamily
from engines.backend.image_encoders import ImageEncoder, load_clip, load_siglip
from engines.backend.lora.branches import LowRankBranches
from engines.backend.lora.files import read_lora
from engines.backend.memory.holder import LoadedPart, ModulePart, Part
from engines.backend.memory.residence import Residence
from engines.backend.model_classes import autoencoder_class, autoencoder_dtype, transformer_class
from engines.backend.model_files import ADAPTERS, locate_lora
from engines.backend.text_encoders import load_text_encoder
from engines.errors import InvalidRequest, NotAvailable
from engines.media.digest import file_digest
from engines.sampling.schedules import from_scheduler_config


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
    is_vace = "vace_layers" in _json(place.folder / "transformer" / "config.json")
    family = WanVACEFamily if is_vace else WanFamily
    if boundary is None:
        return family(_checkpoint(place))
    second = _transformer(place, "transformer_2")
    return family(_checkpoint(place, transformer_2=second), low_noise=second.module, boundary=boundary)


def _hunyuan_video(place: _Place) -> VideoFamily:
    return HunyuanVideoFamily(_checkpoint(place))


_FAMILIES: dict[str, Callable[[_Place], VideoFamily]] = {
    "ltx": _ltx, "wan": _wan, "cogvideox": _cogvideox, "hunyuan_video": _hunyuan_video,
}  # fmt: skip


def _checkpoint(place: _Place, **more: Part) -> Checkpoint:
    card, folder = place.card, place.folder
    scheduler_config = {**_json(folder / "scheduler" / "scheduler_config.json"), **card.scheduler}
    from_scheduler_config(scheduler_config, steps=2, tokens=1)
    transformer, autoencoder = _transformer(place, "transformer"), _autoencoder(place)
    text_encoder = LoadedPart(lambda: load_text_encoder(card.facts, folder, place.device, place.dtype))
    text_encoder.bring()  # what is missing is missed now
    image_encoder = _image_encoder(place)
    if image_encoder is not None:
        more["image_encoder"] = image_encoder
    parts: dict[Any, Part] = {
        "text_encoder": text_encoder, "transformer": transformer, "autoencoder": autoencoder, **more,
    }  # fmt: skip
    return Checkpoint(
        card,
        transformer.module,
        autoencoder.module,
        text_encoder,
        image_encoder,
        Residence(parts),
        folder,
        scheduler_config,
        weights_revision(card, folder),
    )


def _image_encoder(place: _Place) -> LoadedPart[ImageEncoder] | None:
    """Of folders that have one."""
    if not (place.folder / "image_encoder").is_dir():
        return None
    load = load_siglip if place.card.family == "hunyuan_video" else load_clip
    return LoadedPart(lambda: load(place.folder, place.device, place.dtype))


def _transformer(place: _Place, name: str) -> ModulePart:
    part = _part(place, transformer_class(place.card.family, place.folder / name), name, place.dtype)
    use_wanted_kernel(part.module)
    for lora in place.card.loras:
        if lora.part == name:
            _add_lora(place.card, lora, part.module)
    return part


def _add_lora(card: ModelCard, lora: LoraCard, transformer: Any) -> None:
    """Beside the weights, for as long as the model is loaded."""
    file = locate_lora(card, lora)
    try:
        LowRankBranches(transformer, read_lora(file, card.family), lora.strength, f"“{file.name}”")
    except InvalidRequest as error:
        raise NotAvailable(f"{card.title} cannot be loaded: {error.message}", error.fix, field="model") from error


def _autoencoder(place: _Place) -> ModulePart:
    card = place.card
    dtype = autoencoder_dtype(card.facts, place.dtype)
    return _part(place, autoencoder_class(card.family, place.folder / "vae"), "vae", dtype)


def _part(place: _Place, kind: Any, name: str, dtype: torch.dtype) -> ModulePart:
    folder = place.folder / name
    module = kind.from_pretrained(folder, torch_dtype=dtype, use_safetensors=True, local_files_only=True)
    return ModulePart(module.to(place.device), sorted(folder.glob("*.safetensors")), place.device)


def weights_revision(card: ModelCard, folder: Path) -> str:
    """The hub commit (a snapshot folder is named after it), or a hash over the safetensors files, 16 hex digits; behind
    it the hash of each LoRA file that the card adds.

    Adapters do not count: the model is the same with and without them.
    """
    return "+".join(
        [_checkpoint_revision(card, folder), *(file_digest(locate_lora(card, lora))[:16] for lora in card.loras)]
    )


def _checkpoint_revision(card: ModelCard, folder: Path) -> str:
    if isinstance(card.source, HubSource):
        return folder.name
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")):
        if ADAPTERS in path.relative_to(folder).parts:
            continue
        digest.update(path.relative_to(folder).as_posix().encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]


def _json(path: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
