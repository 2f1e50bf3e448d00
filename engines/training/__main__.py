"""python -m engines.training COMMAND: fit the tokenizer, build caches, train the trunk, look at where it stands."""

from __future__ import annotations

import argparse
from pathlib import Path

from engines.training.prepare import prepare
from engines.training.pretrain import Run, pretrain
from engines.training.run_state import save_carried_state

DEFAULT_CONFIG = Path("presets/training/diorama.yaml")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m engines.training", description=__doc__)
    parser.add_argument("command", choices=["prepare", "trunk", "carry"])
    parser.add_argument("--run", type=Path, required=True, help="folder of the run (ignored by git)")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG)
    parser.add_argument("--carried", type=Path, help="small committed state to begin from, or to write (carry)")
    arguments = parser.parse_args()
    run = Run.open(arguments.run, arguments.config)
    if arguments.command == "prepare":
        prepare(run)
    elif arguments.command == "trunk":
        pretrain(run, arguments.carried)
    else:
        save_carried_state(arguments.carried, run.state)


if __name__ == "__main__":
    main()
