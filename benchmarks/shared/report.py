"""The frame of every benchmark: its arguments, its rows that survive a kill, its summary, its table and its JSON file.

    options = parse_options("text_to_video", __doc__)
    report = Report("text_to_video", options, code=["engines"], weights=["assets/models/diorama"])
    rows = [report.row("ours", clip, lambda: measure(clip)) for clip in clips]
    report.mean("noun", [row["noun"] for row in rows])
    report.finish()

The file: {"benchmark", "revision", "machine", "seconds", "partial", "summary": {flat key: number}, "from_card": [keys],
"rows": […]}.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.shared.rows import Row, RowStore
from benchmarks.shared.versions import code_revision, machine, revision, weights_hash
from engines.metrics.bootstrap import mean_with_interval


@dataclass(frozen=True)
class Options:
    """What every benchmark is called with.

    Attributes:
        quick: A fixed subset in at most four minutes, with the same keys.
        json: Where the result is written.
    """

    quick: bool
    json: Path


def parse_options(name: str, description: str | None, arguments: Sequence[str] | None = None) -> Options:
    """Reads --quick and --json FILE from the command line (or `arguments`)."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="a fixed subset, in at most 4 minutes")
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="where the result is written")
    parsed = parser.parse_args(arguments)
    return Options(parsed.quick, parsed.json)


class Report:
    """Collects rows and summary numbers of one benchmark run.

    A full run appends each row to NAME.rows.jsonl beside the JSON file and continues after a kill: a row whose code,
    weights, arm and clip are the same is not measured again. A quick run keeps no rows.

    Args:
        name: Of the benchmark, as in `python -m benchmarks.NAME`.
        code: Files and folders of the code that the numbers depend on, from the project's folder.
        weights: Files and folders of the weights likewise.

    Attributes:
        summary: Flat key → number.
        rows: All rows so far, each with "arm", "clip" and what was measured.
        from_card: Keys of the summary that were read from a model card and not measured in this run.
    """

    def __init__(
        self, name: str, options: Options, code: Iterable[str | Path], weights: Iterable[str | Path] = ()
    ) -> None:
        self.name = name
        self.summary: dict[str, float] = {}
        self.rows: list[Row] = []
        self.from_card: list[str] = []
        self._options = options
        self._code, self._weights = code_revision(code), weights_hash(weights)
        self._store = RowStore(None if options.quick else options.json.parent / f"{name}.rows.jsonl")
        self._began = time.perf_counter()
        self._seconds_before = 0.0

    @property
    def quick(self) -> bool:
        return self._options.quick

    def row(self, arm: str, clip: str, measure: Callable[[], Mapping[str, Any]]) -> Row:
        """The row of (arm, clip): remembered from an earlier run of the same code and weights, or measured now.

        Args:
            arm: Which variant: "ours", a baseline's name.
            clip: Names the clip for good (not its place in a list that may change).
            measure: Gives what JSON can hold: numbers, words, lists. A number that is not finite is an error.

        Raises: ValueError if this run has that row already, or a number is not finite.
        """
        if any(row["arm"] == arm and row["clip"] == clip for row in self.rows):
            raise ValueError(f"This run has a row of arm {arm!r}, clip {clip!r} already.")
        key = (self._code, self._weights, arm, clip)
        stored = self._store.get(key)
        if stored is None:
            began = time.perf_counter()
            stored = dict(measure())
            stored["row_seconds"] = round(time.perf_counter() - began, 3)
            self._store.add(key, stored)
        else:
            self._seconds_before += float(stored["row_seconds"])
        row = {"arm": arm, "clip": clip, **stored}
        self.rows.append(row)
        return row

    def number(self, key: str, value: float) -> None:
        """Puts one number into the summary. Raises ValueError if it is not finite or the key is there already."""
        if key in self.summary:
            raise ValueError(f"The summary has {key!r} already.")
        if not math.isfinite(value):
            raise ValueError(f"{key} = {value} is not a finite number.")
        self.summary[key] = float(value)

    def mean(self, key: str, values: Sequence[float]) -> None:
        """Puts a mean over clips into the summary, with KEY_low and KEY_high: 95 % from 200 bootstrap draws.

        Raises: InvalidRequest if there is no value, or one is not finite; ValueError if the key is there already.
        """
        mean, low, high = mean_with_interval(values)
        self.number(key, mean)
        self.number(f"{key}_low", low)
        self.number(f"{key}_high", high)

    def card_number(self, key: str, value: float) -> None:
        """Puts a number that only training gives into the summary and names it in "from_card"."""
        self.number(key, value)
        self.from_card.append(key)

    def finish(self, partial: bool = False) -> None:
        """Prints the table and writes the JSON file in one piece.

        Args:
            partial: True if something that belongs to a full run was left out; a quick run always is partial.
        """
        data = {
            "benchmark": self.name,
            "revision": revision(),
            "machine": machine(),
            "seconds": round(time.perf_counter() - self._began + self._seconds_before, 1),
            "partial": partial or self.quick,
            "summary": self.summary,
            "from_card": self.from_card,
            "rows": self.rows,
        }
        print(table(self.summary))
        write_json(self._options.json, data)
        print(f"{len(self.rows)} rows, {data['seconds']} s; written to {self._options.json}")


def table(summary: Mapping[str, float]) -> str:
    """The summary as lines "key  value", with "low … high" behind a mean."""
    shown = [key for key in summary if not _is_bound(key, summary)]
    width = max((len(key) for key in shown), default=0)
    lines = []
    for key in shown:
        line = f"{key:<{width}}  {summary[key]:10.4g}"
        if f"{key}_low" in summary and f"{key}_high" in summary:
            line += f"   {summary[f'{key}_low']:.4g} … {summary[f'{key}_high']:.4g}"
        lines.append(line)
    return "\n".join(lines)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Writes beside the place and renames, so that a kill leaves the old file or the new one.

    Raises: ValueError for NaN and infinity, which JSON has not.
    """
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _is_bound(key: str, summary: Mapping[str, float]) -> bool:
    return any(key.endswith(end) and key.removesuffix(end) in summary for end in ("_low", "_high"))
