"""Small networks that are shipped beside a model and teach it one thing more: which are here, and where.

No torch here, so that a form can ask early. See docs/decisions/011.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engines.backend.catalogue import ModelCard
from engines.backend.model_files import ADAPTERS, locate
from engines.errors import NotAvailable, UserError


@dataclass(frozen=True)
class Adapter:
    """One of them, for whichever model has it.

    Attributes:
        id: Name of its folder in the model's folder of adapters.
        lacking: What a model without it cannot do: “select by words”.
        instead: What somebody can do then, a sentence.
        field: Of the request that asks for it.
    """

    id: str
    lacking: str
    instead: str
    field: str

    def folder(self, card: ModelCard, folder: Path) -> Path:
        """Where a model's own lies. Raises: NotAvailable for a model that has none."""
        path = folder / ADAPTERS / self.id
        if not (path / "config.json").is_file():
            raise NotAvailable(
                f"{card.title} cannot {self.lacking}: it comes without the network for that.", self.instead, self.field
            )
        return path

    def weights(self, card: ModelCard, folder: Path) -> Path:
        """The file of its weights. Raises: as `folder`."""
        return self.folder(card, folder) / "diffusion_pytorch_model.safetensors"

    def is_here(self, card: ModelCard) -> bool:
        """Whether the model is on this machine and has it."""
        try:
            self.folder(card, locate(card))
        except UserError:
            return False
        return True


WORD_SELECTION = Adapter(
    "word_selection",
    "select by words",
    "Select by a click, a box or a brush, or choose the bundled model for clips of the Diorama.",
    "selection",
)
CONTROL = Adapter("control", "follow edges or depth", "Choose the bundled model, for clips of the Diorama.", "mode")
