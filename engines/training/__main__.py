"""python -m engines.training COMMAND --run FOLDER: the bundled model's second version, from the first.

prepare   fit the tokenizer's linear code and build the latent caches (about half an hour on two cores)
trunk     train the transformer; goes on where it was, ends cleanly on Ctrl+C
decoder   train the tokenizer's decoder correction; goes on where it was
export    write the averaged weights as a diffusers folder (--out)
sheet     sample held-out prompts of an exported folder (--model) into a picture (--out)
carry     write the small state to commit (--carried), from which trunk can begin on another machine
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from engines.training.decoder import train_decoder
from engines.training.export import export
from engines.training.prepare import prepare
from engines.training.pretrain import Run, pretrain
from engines.training.run_state import save_carried_state
from engines.training.sample_sheet import load_exported, write_sheet

DEFAULT_CONFIG = Path("presets/training/diorama.yaml")


def _export(run: Run, arguments: argparse.Namespace) -> None:
    print(f"step {export(run, arguments.out)} written to {arguments.out}")


def _sheet(run: Run, arguments: argparse.Namespace) -> None:
    write_sheet(load_exported(arguments.model), arguments.out, count=12, frames=17)


COMMANDS: dict[str, Callable[[Run, argparse.Namespace], None]] = {
    "prepare": lambda run, arguments: prepare(run),
    "trunk": lambda run, arguments: pretrain(run, arguments.carried),
    "decoder": lambda run, arguments: train_decoder(run),
    "export": _export,
    "sheet": _sheet,
    "carry": lambda run, arguments: save_carried_state(arguments.carried, run.state),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m engines.training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=list(COMMANDS))
    parser.add_argument("--run", type=Path, required=True, help="folder of the run (ignored by git)")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG)
    parser.add_argument("--carried", type=Path, help="small committed state to begin from, or to write (carry)")
    parser.add_argument("--model", type=Path, default=Path("assets/models/diorama"), help="exported folder (sheet)")
    parser.add_argument("--out", type=Path, help="folder (export) or picture (sheet) to write")
    arguments = parser.parse_args()
    COMMANDS[arguments.command](Run.open(arguments.run, arguments.config), arguments)


if __name__ == "__main__":
    main()
