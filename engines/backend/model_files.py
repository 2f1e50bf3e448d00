"""Where a model's files lie on this machine. Looks only; nothing is downloaded. No torch here."""

from __future__ import annotations

import json
from pathlib import Path

from engines.backend.catalogue import (
    PROJECT_ROOT,
    BundledSource,
    HubSource,
    LocalSource,
    LoraCard,
    ModelCard,
)
from engines.byte_sizes import spoken_bytes
from engines.errors import NotAvailable

# What a diffusers folder needs; hub repositories also hold single-file copies. Never weights that are pickles.
HUB_PATTERNS = (
    "model_index.json", "transformer/*", "transformer_2/*", "vae/*", "scheduler/*", "text_encoder/*", "tokenizer/*",
    "text_encoder_2/*", "tokenizer_2/*", "image_encoder/*", "image_processor/*", "feature_extractor/*",
)  # fmt: skip
WEIGHED = ("transformer", "transformer_2", "vae", "text_encoder", "text_encoder_2", "image_encoder")
ADAPTERS = "adapters"  # folder of a model's folder; its id is the next one (docs/decisions/011)
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.msgpack")


def locate(card: ModelCard) -> Path:
    """The folder of a model's files on this machine, its LoRA files being there, too.

    Raises: NotAvailable with the command that brings them.
    """
    folder = _locate_checkpoint(card)
    for lora in card.loras:
        locate_lora(card, lora)
    return folder


def locate_lora(card: ModelCard, lora: LoraCard) -> Path:
    """One of a model's LoRA files. Raises: NotAvailable with the command that brings it."""
    source = lora.source
    if isinstance(source, HubSource):
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(source.repo, lora.file, revision=source.revision)
        if not isinstance(found, str):
            raise NotAvailable(
                f"{lora.file} of {card.title} is not on this machine. Its licence: {lora.licence} "
                f"({lora.licence_url}); it takes about {spoken_bytes(lora.size_bytes)}.",
                f"Download it with: {download_command(card)}",
                field="model",
            )
        return Path(found)
    path = Path(source.path) if isinstance(source, LocalSource) else PROJECT_ROOT / source.path
    if not path.is_file():
        raise NotAvailable(
            f"The LoRA file of {card.title} is not there any more: {path}.",
            "Put it back, or choose another model.",
            field="model",
        )
    return path


def _locate_checkpoint(card: ModelCard) -> Path:
    if isinstance(card.source, BundledSource):
        return _locate_bundled(card, PROJECT_ROOT / card.source.path)
    if isinstance(card.source, LocalSource):
        return _locate_local(card, Path(card.source.path))
    return _locate_hub(card, card.source)


def is_available(card: ModelCard) -> bool:
    """Whether the model's files are on this machine."""
    try:
        locate(card)
    except NotAvailable:
        return False
    return True


def can_be_fetched(card: ModelCard) -> bool:
    """Whether the hub has it and this machine has not, or not all of it."""
    return isinstance(card.source, HubSource) and not is_available(card)


def is_whole(folder: Path) -> bool:
    """Whether a diffusers folder has everything that its model_index.json names: a download may have been cut off."""
    try:
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    fetched = {pattern.removesuffix("/*") for pattern in HUB_PATTERNS}
    parts = [name for name, value in index.items() if name in fetched and isinstance(value, list) and value[0]]
    return all(_has_its_files(folder / name, name in WEIGHED) for name in parts)


def _has_its_files(part: Path, has_weights: bool) -> bool:
    shards = {
        name
        for path in part.glob("*.safetensors.index.json")
        for name in json.loads(path.read_text(encoding="utf-8"))["weight_map"].values()
    }
    if shards:
        return all((part / name).is_file() for name in shards)
    return any(part.glob("*.safetensors" if has_weights else "*"))


def _locate_bundled(card: ModelCard, folder: Path) -> Path:
    if not (folder / "model_index.json").is_file():
        raise NotAvailable(
            f"The files of {card.title} are missing: {folder} has no model_index.json.",
            "Clone the repository again, or run `git checkout -- assets/models`.",
            field="model",
        )
    return folder


def _locate_local(card: ModelCard, folder: Path) -> Path:
    if not (folder / "model_index.json").is_file():
        raise NotAvailable(
            f"The folder of {card.title} is not there any more: {folder} has no model_index.json.",
            f"Put it back, or forget it: python -m engines.backend.local_models remove {card.id}",
            field="model",
        )
    return folder


def download_command(card: ModelCard) -> str:
    """What fetches it."""
    return f".venv/bin/python -m engines.backend.downloads {card.id}"


def _locate_hub(card: ModelCard, source: HubSource) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(
                source.repo,
                revision=source.revision,
                local_files_only=True,
                allow_patterns=list(HUB_PATTERNS),
                ignore_patterns=list(PICKLED),
            )
        )
    except LocalEntryNotFoundError:
        folder = None
    if folder is None or not is_whole(folder):
        licensed: list[ModelCard | LoraCard] = [card, *card.loras]
        licences = " and ".join(f"{each.licence} ({each.licence_url})" for each in licensed)
        raise NotAvailable(
            f"{card.title} is not on this machine{' as a whole' if folder else ''}. Its licence: {licences}; it takes "
            f"about {spoken_bytes(card.all_bytes)}.",
            f"Download it with: {download_command(card)}",
            field="model",
        )
    return folder
