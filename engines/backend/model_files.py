"""Where a model's files lie on this machine. Looks only; nothing is downloaded. No torch here."""

from __future__ import annotations

from pathlib import Path

from engines.backend.catalogue import PROJECT_ROOT, BundledSource, HubSource, LocalSource, ModelCard
from engines.byte_sizes import spoken_bytes
from engines.errors import NotAvailable

# What a diffusers folder needs; hub repositories also hold single-file copies. Never weights that are pickles.
HUB_PATTERNS = (
    "model_index.json", "transformer/*", "transformer_2/*", "vae/*", "scheduler/*", "text_encoder/*", "tokenizer/*",
    "text_encoder_2/*", "tokenizer_2/*",
)  # fmt: skip
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.msgpack")


def locate(card: ModelCard) -> Path:
    """The folder of a model's files on this machine. Raises NotAvailable with the command that brings them."""
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
                source.repo, revision=source.revision, local_files_only=True, allow_patterns=list(HUB_PATTERNS)
            )
        )
    except LocalEntryNotFoundError:
        folder = None
    if folder is None or not (folder / "model_index.json").is_file():
        raise NotAvailable(
            f"{card.title} is not on this machine. Its licence: {card.licence} ({card.licence_url}); "
            f"it takes about {spoken_bytes(card.size_bytes)}.",
            f"Download it with: {download_command(card)}",
            field="model",
        )
    return folder
