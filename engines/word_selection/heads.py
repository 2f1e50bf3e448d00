"""Which models can select by words. No torch here, so that a form can ask early."""

from __future__ import annotations

from pathlib import Path

from engines.backend.catalogue import ModelCard
from engines.backend.model_files import ADAPTERS, locate
from engines.errors import NotAvailable, UserError

ADAPTER = Path(ADAPTERS) / "word_selection"


def head_folder(card: ModelCard, folder: Path) -> Path:
    """Where a model's head lies. Raises: NotAvailable for a model that has none."""
    path = folder / ADAPTER
    if not (path / "config.json").is_file():
        raise NotAvailable(
            f"{card.title} cannot select by words: it comes without the network for that.",
            "Select by a click, a box or a brush, or choose the bundled model for clips of the Diorama.",
            field="selection",
        )
    return path


def has_head(card: ModelCard) -> bool:
    """Whether the model is here and can select by words."""
    try:
        head_folder(card, locate(card))
    except UserError:
        return False
    return True


def head_weights(card: ModelCard, folder: Path) -> Path:
    """The file of its weights. Raises: as head_folder."""
    return head_folder(card, folder) / "diffusion_pytorch_model.safetensors"
