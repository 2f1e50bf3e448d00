"""A training run as a folder and a configuration, and what of the configuration it keeps to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from engines.errors import InvalidRequest
from engines.training.run_config import read_config

CONFIG_COPY = "config.yaml"
# What a run may change on its way; everything else decides what its steps mean.
MAY_CHANGE = {"phases", "rates", "decoder", "compile", "sheet_every", "sampling_shift"}
REWARM_STEPS = 200  # after a carried state, whose moments are gone


@dataclass(frozen=True)
class Run:
    """A run's folder and its configuration (presets/training/*.yaml)."""

    folder: Path
    config: dict[str, Any]

    @staticmethod
    def open(folder: Path, config: Path) -> Run:
        """Raises InvalidRequest naming the line of the configuration that is wrong."""
        return Run(folder, read_config(config))

    @property
    def state(self) -> Path:
        return self.folder / "state.safetensors"

    @property
    def log(self) -> Path:
        return self.folder / "log.jsonl"

    @property
    def earlier_curve(self) -> Path:
        """Of the model that the run went on from, where it has one."""
        return self.folder / "earlier_curve.jsonl"

    @property
    def total_steps(self) -> int:
        return sum(int(phase["steps"]) for phase in self.config["phases"])

    def phase_at(self, step: int) -> dict[str, Any]:
        """The phase that a step (from 0) belongs to."""
        for phase in self.config["phases"]:
            if step < phase["steps"]:
                return dict(phase)
            step -= phase["steps"]
        return dict(self.config["phases"][-1])

    def rate_factor(self, step: int, warm_from: int) -> float:
        """Warm-up, constant, linear cool-down to the floor at the end (WSD): lengthening a run keeps its past."""
        rates = self.config["rates"]
        warm = min(1.0, (step - warm_from + 1) / (REWARM_STEPS if warm_from else rates["warmup"]))
        left = (self.total_steps - step) / rates["cooldown"]
        return float(warm * max(rates["floor"], min(1.0, left)))


def keep_config(run: Run) -> None:
    """Copies the configuration into the run's folder at its first step, and compares it with the copy later on.

    Raises: InvalidRequest naming what was changed that a run cannot change on its way.
    """
    copy = run.folder / CONFIG_COPY
    if copy.exists() and run.state.exists():
        begun = read_config(copy)
        changed = [
            name for name in sorted({*begun, *run.config} - MAY_CHANGE) if begun.get(name) != run.config.get(name)
        ]
        if changed:
            raise InvalidRequest(
                f"The run in {run.folder} was begun with another {' and '.join(changed)}.",
                f"Put back what {copy} says, or begin a new run in another folder.",
                changed[0],
            )
    text = yaml.safe_dump(run.config, sort_keys=False, allow_unicode=True)
    part = copy.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, copy)
