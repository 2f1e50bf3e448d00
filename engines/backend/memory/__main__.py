"""What a job would need here: python -m engines.backend.memory MODEL [--width 704 --height 480 --frames 121] [--json]

Says which plan would be taken within the memory budget (FRAMEWRIGHT_MEMORY_GB, or most of what is free) and what every
byte is for. Nothing is loaded or fetched; a model that is not on this machine is known by its blueprint.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from engines.backend.catalogue import ModelCard, load_catalogue
from engines.backend.device import select_device
from engines.backend.families.guided import rows_at_once
from engines.backend.geometry import plan_geometry
from engines.backend.memory.blueprints import known_parts
from engines.backend.memory.budget import memory_budget
from engines.backend.memory.plan import JobShape, plans_within, possible_plans
from engines.backend.precision import compute_dtype
from engines.byte_sizes import spoken_bytes
from engines.command_line import exit_status
from engines.errors import ResourceError


def report(card: ModelCard, width: int, height: int, frames: int) -> dict[str, Any]:
    """{"fits": whether any plan does, "sentences": what is asked for, the answer in short, its reasons}.

    Raises: InvalidRequest or LimitExceeded for a size that the model cannot make; NotAvailable for a model that is
        neither here nor known.
    """
    device = select_device()
    budget, dtype = memory_budget(device), compute_dtype(device)
    geometry = plan_geometry(card, height, width, frames, card.defaults.fps)
    shape = JobShape(geometry.grid, rows_at_once(geometry.tokens, 2))
    folder, weights = known_parts(card)
    where = f"on the {device.type.upper()} in {str(dtype).removeprefix('torch.')}"
    size = f"{geometry.width} × {geometry.height}, {geometry.frames} frames"
    said = f"{card.title}, {size}, {where}; memory budget {spoken_bytes(budget)}."
    try:
        plan = plans_within(card, folder, shape, dtype, budget, weights)[0]
    except ResourceError as error:
        smallest = min(possible_plans(card, folder, shape, dtype, weights), key=lambda plan: plan.peak)
        return {"fits": False, "sentences": [said, error.message, error.fix, *smallest.sentences(), *geometry.warnings]}
    return {"fits": True, "sentences": [said, *plan.sentences(), *plan.warnings(), *geometry.warnings]}


def run(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m engines.backend.memory", description=__doc__)
    parser.add_argument("model")
    for name in ("width", "height", "frames"):
        parser.add_argument(f"--{name}", type=int, help="default: the model's own")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    options = parser.parse_args(arguments)
    card = load_catalogue().card(options.model)
    sizes = [getattr(options, name) or getattr(card.defaults, name) for name in ("width", "height", "frames")]
    made = report(card, *sizes)
    print(json.dumps(made) if options.json else "\n".join(made["sentences"]))


if __name__ == "__main__":
    sys.exit(exit_status(run))
