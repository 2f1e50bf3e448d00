"""python -m engines.training COMMAND --run FOLDER: the bundled model's second version, from the first.

prepare   fit the tokenizer's linear code and build the latent caches (perhaps an hour on two cores)
trunk     train the transformer; goes on where it was, ends cleanly on Ctrl+C; curve.png and sheets/ show how it does
decoder   train the tokenizer's decoder correction; goes on where it was
export    write the averaged weights as a diffusers folder (--out)
sheet     sample held-out prompts of an exported folder (--model) into a picture (--out)
carry     write the small state to commit (--carried), from which trunk can begin on another machine
curve     draw the run's loss (--out)

A folder of your own videos is made ready by `python -m engines.training.curation`.
Exit status: 0 done, 2 it could not be done as asked.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from engines.command_line import exit_status
from engines.errors import InvalidRequest
from engines.training.curve import draw_curve
from engines.training.decoder import train_decoder
from engines.training.export import export
from engines.training.json_lines import read_lines
from engines.training.prepare import prepare
from engines.training.pretrain import pretrain
from engines.training.run import Run
from engines.training.run_state import save_carried_state
from engines.training.sample_sheet import held_out_prompts, load_exported, sheet_of_run, write_sheet
from engines.training.watch import Watch

DEFAULT_CONFIG = Path("presets/training/diorama.yaml")


def _needed(value: Path | None, option: str) -> Path:
    if value is None:
        raise InvalidRequest(f"The command needs --{option}.", f"Say where with --{option}.", option)
    return value


def _trunk(run: Run, arguments: argparse.Namespace) -> None:
    watch = Watch(run.folder, run.total_steps, int(run.config.get("sheet_every", 0)), sheet_of_run)
    try:
        pretrain(run, arguments.carried, watch.look)
    finally:
        watch.close()


def _export(run: Run, arguments: argparse.Namespace) -> None:
    out = _needed(arguments.out, "out")
    if not run.state.exists():
        raise InvalidRequest(f"The run in {run.folder} has no state yet.", "Train it first: the command trunk.", "run")
    print(f"step {export(run, out)} written to {out}")


def _sheet(run: Run, arguments: argparse.Namespace) -> None:
    write_sheet(load_exported(arguments.model), _needed(arguments.out, "out"), held_out_prompts(12), frames=17)


def _carry(run: Run, arguments: argparse.Namespace) -> None:
    if not run.state.exists():
        raise InvalidRequest(f"The run in {run.folder} has no state yet.", "Train it first: the command trunk.", "run")
    save_carried_state(_needed(arguments.carried, "carried"), run.state)


def _curve(run: Run, arguments: argparse.Namespace) -> None:
    records = read_lines(run.log)
    if not any("loss" in record for record in records):
        raise InvalidRequest(f"The run in {run.folder} has logged no loss yet.", "Train it first.", "run")
    draw_curve(records, arguments.out or run.folder / "curve.png")


COMMANDS: dict[str, Callable[[Run, argparse.Namespace], None]] = {
    "prepare": lambda run, arguments: prepare(run),
    "trunk": _trunk,
    "decoder": lambda run, arguments: train_decoder(run),
    "export": _export,
    "sheet": _sheet,
    "carry": _carry,
    "curve": _curve,
}


def main(given: Sequence[str] | None = None) -> int:
    """Runs one command. Returns: the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m engines.training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=list(COMMANDS))
    parser.add_argument("--run", type=Path, required=True, help="folder of the run (ignored by git)")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="YAML file; default: %(default)s")
    parser.add_argument("--carried", type=Path, help="small committed state to begin from, or to write (carry)")
    parser.add_argument("--model", type=Path, default=Path("assets/models/diorama"), help="exported folder (sheet)")
    parser.add_argument("--out", type=Path, help="folder (export) or picture (sheet, curve) to write")
    arguments = parser.parse_args(given)
    return exit_status(lambda: COMMANDS[arguments.command](Run.open(arguments.run, arguments.config), arguments))


if __name__ == "__main__":
    sys.exit(main())
