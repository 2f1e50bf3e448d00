"""Which step caches there are, and why one cannot serve a model. No torch here: menus need it early."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from engines.backend.catalogue import PROJECT_ROOT, ModelCard
from engines.byte_sizes import spoken_bytes
from engines.errors import InvalidRequest

StepCache = Literal["off", "first_block", "mag", "taylor_seer", "attention_broadcast"]
FILE = PROJECT_ROOT / "presets" / "step_caches.yaml"
COSTS = PROJECT_ROOT / "presets" / "step_cache_costs.yaml"  # written by a full run of benchmarks.backend


class StepCacheCosts(BaseModel):
    """What a full run of benchmarks.backend measured on the bundled model at 30 steps, against none.

    Attributes:
        speedup: How many times as fast.
        psnr_db: Nearness of the frames to those without.
        kept_bytes: What it keeps from step to step.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    speedup: float
    psnr_db: float
    kept_bytes: float


class StepCacheCard(BaseModel):
    """One entry of presets/step_caches.yaml.

    Attributes:
        says: What it does, for the person.
        source: Its paper or code.
        settings: Of the hook.
        costs: None where they were not measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    says: str
    source: str
    settings: dict[str, Any]
    costs: StepCacheCosts | None = None

    @property
    def label(self) -> str:
        """For a menu: its name and what it costs."""
        if self.costs is None:
            return self.title
        kept = spoken_bytes(self.costs.kept_bytes)
        return f"{self.title}: {self.costs.speedup:.1f} × as fast, {self.costs.psnr_db:.0f} dB, {kept}"


@cache
def step_caches() -> dict[StepCache, StepCacheCard]:
    """All but "off", in the order of the file."""
    entries = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    costs = yaml.safe_load(COSTS.read_text(encoding="utf-8")) if COSTS.exists() else {}
    return {name: StepCacheCard.model_validate(entry | {"costs": costs.get(name)}) for name, entry in entries.items()}


def refuse(kind: StepCache, card: ModelCard) -> None:
    """Raises InvalidRequest (field step_cache) if the model cannot be rendered with this cache."""
    reason = why_not(kind, card)
    if reason:
        able = [name for name in step_caches() if not why_not(name, card)]
        raise InvalidRequest(reason, f"Choose {', '.join(able)} or off.", field="step_cache")


def why_not(kind: StepCache, card: ModelCard) -> str:
    """Why the model cannot be rendered with this cache; "" if it can."""
    if kind == "mag" and not card.facts.mag_ratios:
        return f"MagCache needs to know how {card.title}'s answers change from step to step, which was not measured."
    return ""
