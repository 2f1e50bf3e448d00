"""The loaded parts of a diffusers folder, from which a family is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.backend.catalogue import ModelCard
from engines.backend.image_encoders import ImageEncoder
from engines.backend.memory.holder import LoadedPart
from engines.backend.memory.residence import Residence
from engines.backend.text_encoders import TextEncoder


@dataclass(frozen=True)
class Checkpoint:
    """A model's parts on their device.

    Attributes:
        card: Catalogue entry.
        transformer: In its dtype.
        autoencoder: With diffusers' encode and decode.
        text_encoder: From engines.backend.text_encoders, loaded when it is wanted.
        image_encoder: From engines.backend.image_encoders, of models that have one.
        residence: Where these parts are kept.
        folder: Theirs.
        scheduler_config: The folder's scheduler_config.json.
        revision: Hub commit or hash of the weights.
    """

    card: ModelCard
    transformer: Any
    autoencoder: Any
    text_encoder: LoadedPart[TextEncoder]
    image_encoder: LoadedPart[ImageEncoder] | None
    residence: Residence
    folder: Path
    scheduler_config: Mapping[str, Any]
    revision: str

    def compare_with_card(self, found: Mapping[str, Any]) -> None:
        """Raises ValueError if the checkpoint's numbers are not the card's facts of those names."""
        facts = self.card.facts.model_dump()
        wrong = [f"{name} is {value}, expected {facts[name]}" for name, value in found.items() if value != facts[name]]
        if wrong:
            raise ValueError(f"the checkpoint of {self.card.id} does not fit its card: {'; '.join(wrong)}")
