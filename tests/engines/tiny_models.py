"""Tiny random checkpoints as the models of a catalogue: what tests load instead of gigabytes."""

from __future__ import annotations

from pathlib import Path

from engines.backend.catalogue import Catalogue, ModelCard, load_catalogue


def card_for(folder: Path, model: str) -> ModelCard:
    """The committed card of a model, with the tiny folder as its source."""
    card = load_catalogue()[model]
    data = card.model_dump() | {"source": {"kind": "bundled", "path": str(folder)}}
    return ModelCard.model_validate(data)


def tiny_catalogue(folder: Path, model: str) -> Catalogue:
    return Catalogue([card_for(folder, model)])
