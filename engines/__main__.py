"""The engines from the command line: `python -m engines reproduce FILE [--out FOLDER]`.

Exit status of reproduce: 0 the frames are equal, 1 they are not, 2 it could not be rendered.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from engines.errors import UserError
from engines.reproduce import reproduce


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns: the exit status."""
    parser = argparse.ArgumentParser(prog="python -m engines", description="Framewright's engines.")
    commands = parser.add_subparsers(dest="command", required=True)
    again = commands.add_parser("reproduce", help="render a file again and say whether the frames are equal")
    again.add_argument("file", type=Path, metavar="FILE", help="a file that Framewright made")
    again.add_argument("--out", type=Path, metavar="FOLDER", help="keep the new file in this folder")
    chosen = parser.parse_args(arguments)
    try:
        report = reproduce(chosen.file, chosen.out)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(report.sentence())
    if report.output is not None:
        print(f"The new file is {report.output}.")
    return 0 if report.equal else 1


if __name__ == "__main__":
    sys.exit(main())
