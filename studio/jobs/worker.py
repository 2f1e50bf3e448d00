"""The worker process: `python -m studio.jobs.worker --home FOLDER --name NAME [--import MODULE …]`.

Its standard input is a pipe from the studio: each byte says that a job was queued, and its end that the studio is no
more, however it ended. So a worker never outlives its studio, on any operating system and without polling.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import threading
from pathlib import Path

from studio.jobs.runner import Runner


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m studio.jobs.worker", description="Renders the studio's jobs.")
    parser.add_argument("--home", type=Path, required=True, help="the studio's folder")
    parser.add_argument("--name", required=True, help="the name that jobs are taken under")
    parser.add_argument(
        "--import", dest="modules", action="append", default=[], help="a module that registers further tasks"
    )
    options = parser.parse_args(arguments)
    wake = threading.Event()
    threading.Thread(target=_listen, args=(wake,), name="studio-listener", daemon=True).start()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for module in options.modules:
        importlib.import_module(module)
    Runner(options.home, options.name).work(wake)


def _listen(wake: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 64):
        wake.set()
    # The studio is gone. No clean-up: files are replaced atomically and the store refuses nothing half-written.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
