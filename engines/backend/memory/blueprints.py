"""What a model of the catalogue needs before it is on this machine: its parts' configs and sizes are known.

presets/models/blueprints/ID holds transformer/config.json and vae/config.json as in the model's own folder (after
diffusers' conversion scripts), and text_encoders.json: part → number of values.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import torch

from engines.backend.catalogue import PRESETS, ModelCard
from engines.backend.memory.weights import CheckpointWeights, PartWeights, checkpoint_weights, weights_of
from engines.backend.model_classes import autoencoder_class, transformer_class
from engines.backend.model_files import locate
from engines.errors import NotAvailable

BLUEPRINTS = PRESETS / "blueprints"


def known_parts(card: ModelCard) -> tuple[Path, CheckpointWeights]:
    """A folder with the configs of the model's parts, and their sizes: its own where it is on this machine.

    Raises: NotAvailable for a model that is neither here nor has a blueprint.
    """
    try:
        folder = locate(card)
    except NotAvailable:
        folder = BLUEPRINTS / (card.base or card.id)
        if not folder.is_dir():
            raise
        return folder, _blueprint_weights(card.family, folder)
    return folder, checkpoint_weights(folder)


@cache
def _blueprint_weights(family: str, folder: Path) -> CheckpointWeights:
    text = json.loads((folder / "text_encoders.json").read_text(encoding="utf-8"))
    parts = {name: PartWeights(outside=values) for name, values in text.items()}
    for name, kind in (
        ("transformer", transformer_class(family, folder / "transformer")),
        ("vae", autoencoder_class(family, folder / "vae")),
    ):
        config = json.loads((folder / name / "config.json").read_text(encoding="utf-8"))
        with torch.device("meta"):
            model = kind.from_config(config)
        parts[name] = weights_of((key, tuple(value.shape)) for key, value in model.state_dict().items())
    return CheckpointWeights(parts)
