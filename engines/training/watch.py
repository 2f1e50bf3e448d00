"""What a person sees of a run that trains: a line of progress, the curve, sheets of samples. It trains nothing."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch

from engines.training.curve import draw_curve
from engines.training.json_lines import read_lines
from engines.training.run_state import state_step

CURVE_EVERY = 5  # logged records


def duration(seconds: float) -> str:
    """“42 s”, “7 min”, “2 h 05 min”."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def progress_line(record: dict[str, Any], total: int, recent: float) -> str:
    """One record as a sentence.

    Args:
        recent: Seconds a step of the last records, which the time left is reckoned from.
    """
    left = duration((total - record["step"]) * recent)
    return (
        f"step {record['step']} of {total} ({record['phase']}), loss {record['loss']:.4f}, "
        f"{record['seconds_per_step']:.2f} s a step, {left} left"
    )


class Watch:
    """Looks at a run's folder while others write it.

    Args:
        folder: Of the run: log.jsonl and state.safetensors are read, curve.png and sheets/ are written.
        total: Steps of the whole run.
        sheet_every: Steps between two sheets of samples; 0 makes none.
        make_sheet: (folder, step), called in a process of its own, so that training goes on.
        report: Takes each line.
    """

    def __init__(
        self,
        folder: Path,
        total: int,
        sheet_every: int,
        make_sheet: Callable[[Path, int], None],
        report: Callable[[str], None] = print,
    ) -> None:
        self._folder, self._total, self._sheet_every = folder, total, sheet_every
        self._make_sheet, self._report = make_sheet, report
        self._seen = len(read_lines(folder / "log.jsonl"))
        self._size = -1
        self._sheet: BaseProcess | None = None
        self._sheet_step = self._newest_sheet()

    def look(self) -> None:
        """Reports what is new. Cheap where nothing is: called twice a second."""
        log = self._folder / "log.jsonl"
        size = log.stat().st_size if log.exists() else 0
        if size == self._size:
            return
        self._size = size
        records = read_lines(log)
        for count, record in enumerate(records[self._seen :], start=self._seen + 1):
            if "loss" in record:
                self._report(progress_line(record, self._total, self._recent(records[:count])))
                if count % CURVE_EVERY == 0:
                    draw_curve(records[:count], self._folder / "curve.png")
        self._seen = len(records)
        self._sheet_if_due()

    def close(self) -> None:
        """Draws the curve to its end, begins a sheet that the last state is due, and waits for it."""
        self.look()
        if self._sheet is not None:
            self._sheet.join()
        self._sheet_if_due()
        records = read_lines(self._folder / "log.jsonl")
        if any("loss" in record for record in records):
            draw_curve(records, self._folder / "curve.png")
        if self._sheet is not None:
            self._sheet.join()

    def _recent(self, records: list[dict[str, Any]]) -> float:
        """Shapes differ in cost: the median of the last records of this phase."""
        seconds = sorted(
            record["seconds_per_step"]
            for record in [one for one in records if "loss" in one][-9:]
            if record["phase"] == records[-1]["phase"]
        )
        return float(seconds[len(seconds) // 2])

    def _newest_sheet(self) -> int:
        steps = [int(path.stem.split("-")[-1]) for path in (self._folder / "sheets").glob("step-*.png")]
        return max(steps, default=0)

    def _sheet_if_due(self) -> None:
        state = self._folder / "state.safetensors"
        if not self._sheet_every or not state.exists() or (self._sheet is not None and self._sheet.is_alive()):
            return
        step = state_step(state)
        if step // self._sheet_every > self._sheet_step // self._sheet_every:
            self._sheet_step = step
            process = torch.multiprocessing.get_context("spawn").Process(
                target=self._make_sheet, args=(self._folder, step), daemon=True
            )
            process.start()
            self._sheet = process
