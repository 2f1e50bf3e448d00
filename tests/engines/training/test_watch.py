"""What a person sees of a run: lines with the time left, a curve, sheets; never more than the run has done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from engines.training.curve import draw_curve, running_mean
from engines.training.json_lines import read_lines
from engines.training.run_state import append_log, save_state, state_step
from engines.training.watch import Watch, duration, progress_line


def record(step: int, loss: float = 0.5, seconds: float = 2.0, phase: str = "long") -> dict[str, Any]:
    return {"step": step, "phase": phase, "loss": loss, "seconds_per_step": seconds, "rate_factor": 1.0}


def no_sheet(folder: Path, step: int) -> None:
    raise AssertionError("no sheet was asked for")


def mark_sheet(folder: Path, step: int) -> None:
    (folder / "sheets").mkdir(exist_ok=True)
    (folder / "sheets" / f"step-{step:06d}.png").write_bytes(b"sheet")


@pytest.mark.parametrize(("seconds", "text"), [(12.4, "12 s"), (600, "10 min"), (7500, "2 h 05 min")])
def test_durations_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_line_says_what_is_left() -> None:
    line = progress_line(record(100), total=400, recent=2.0)
    assert line == "step 100 of 400 (long), loss 0.5000, 2.00 s a step, 10 min left"


def test_new_records_are_reported_once_and_old_ones_not_at_all(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    append_log(log, **record(20))
    said: list[str] = []
    watch = Watch(tmp_path, 100, 0, no_sheet, said.append)
    append_log(log, event="start", step=20)
    append_log(log, **record(40, seconds=1.0))
    for _ in range(3):
        watch.look()
    assert [line.split(",")[0] for line in said] == ["step 40 of 100 (long)"]
    append_log(log, **record(60))
    watch.look()
    assert len(said) == 2


def test_the_time_left_follows_the_phase_that_is_trained(tmp_path: Path) -> None:
    """Pictures cost a fifth of clips: their speed says nothing about what is left."""
    log, said = tmp_path / "log.jsonl", list[str]()
    watch = Watch(tmp_path, 1000, 0, no_sheet, said.append)
    for step in range(20, 120, 20):
        append_log(log, **record(step, seconds=0.2, phase="pictures"))
    append_log(log, **record(120, seconds=1.0))
    watch.look()
    assert said[0].endswith("3 min left")
    assert said[-1].endswith("15 min left")


def test_a_torn_line_is_left_out(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    append_log(log, **record(20))
    with log.open("a", encoding="utf-8") as file:
        file.write('{"step": 40, "lo')
    append_log(log, **record(60))
    assert [one["step"] for one in read_lines(log)] == [20, 60]


def test_a_sheet_is_made_for_each_so_many_steps_of_the_saved_state(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    watch = Watch(tmp_path, 1000, 100, mark_sheet, lambda _: None)
    for logged, saved in ((40, 40), (140, 140), (180, 180), (260, 210)):
        save_state(tmp_path / "state.safetensors", {"average": torch.zeros(2)}, saved)
        assert state_step(tmp_path / "state.safetensors") == saved
        append_log(log, **record(logged))
        watch.close()
    assert sorted(path.name for path in (tmp_path / "sheets").iterdir()) == ["step-000140.png", "step-000210.png"]
    again = Watch(tmp_path, 1000, 100, no_sheet, lambda _: None)
    append_log(log, **record(270))
    again.close()


def test_the_curve_is_higher_where_the_loss_is(tmp_path: Path) -> None:
    falling = [record(step, loss=4.0 * 0.9**row) for row, step in enumerate(range(20, 620, 20))]
    draw_curve(falling, tmp_path / "curve.png")
    picture = cv2.imread(str(tmp_path / "curve.png"))
    assert picture is not None
    rows, columns = np.nonzero((picture == (255, 190, 120)).all(axis=2))  # blue, green, red
    assert rows[columns < 120].mean() + 150 < rows[columns > 800].mean()
    with pytest.raises(ValueError, match="at least one"):
        draw_curve([{"event": "start", "step": 0}], tmp_path / "none.png")


def test_one_record_is_a_curve_too(tmp_path: Path) -> None:
    draw_curve([record(20)], tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 500


def test_the_running_mean_is_not_held_back_by_its_beginning() -> None:
    assert running_mean([3.0, 3.0, 3.0]) == pytest.approx([3.0, 3.0, 3.0])
    mean = running_mean([0.0] * 20 + [1.0] * 20)
    assert 0 == mean[19] < mean[20] < mean[39] < 1
