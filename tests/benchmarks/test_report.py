"""The frame of all benchmarks: files as DESIGN.md says, rows that survive a kill, times in pairs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.shared.report import Options, Report, parse_options, table, write_json
from benchmarks.shared.timing import interleaved
from benchmarks.shared.versions import PROJECT_ROOT, code_revision, weights_hash
from engines.errors import InvalidRequest


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    file = tmp_path / "weights.safetensors"
    file.write_bytes(b"first")
    return file


class Clips:
    """Measures clips and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def measure(self, clip: str) -> dict[str, Any]:
        self.asked.append(clip)
        return {"noun": float(len(self.asked) % 2), "frames": [1, 2]}


def full_run(folder: Path, weights: Path, clips: Clips, names: str = "abcd", quick: bool = False) -> dict[str, Any]:
    report = Report(
        "little", Options(quick, folder / "little.json"), code=["benchmarks/shared/report.py"], weights=[weights]
    )
    rows = [report.row("ours", name, lambda name=name: clips.measure(name)) for name in names]
    report.mean("noun", [row["noun"] for row in rows])
    report.number("ratio", 1.25)
    report.card_number("hours", 3)
    report.finish()
    return json.loads((folder / "little.json").read_text(encoding="utf-8"))


def test_the_file_is_what_the_design_says(tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = full_run(tmp_path, weights, Clips())
    assert set(data) == {
        "benchmark", "revision", "machine", "seconds", "partial", "summary", "from_card", "rows",
    }  # fmt: skip
    assert data["benchmark"] == "little"
    assert data["partial"] is False
    commit = data["revision"].removesuffix("+changes")
    kind = subprocess.run(
        ["git", "cat-file", "-t", commit], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert kind.stdout == "commit\n"
    assert {"cpu", "cores", "memory_gb", "torch", "threads", "python"} <= set(data["machine"])
    assert set(data["summary"]) == {"noun", "noun_low", "noun_high", "ratio", "hours"}
    assert data["summary"]["noun"] == 0.5
    assert data["summary"]["noun_low"] < 0.5 < data["summary"]["noun_high"]
    assert data["from_card"] == ["hours"]
    assert [(row["arm"], row["clip"], row["noun"]) for row in data["rows"]] == [
        ("ours", "a", 1), ("ours", "b", 0), ("ours", "c", 1), ("ours", "d", 0),
    ]  # fmt: skip
    printed = capsys.readouterr().out
    assert "ratio        1.25\n" in printed
    assert "4 rows" in printed


def test_a_full_run_measures_only_what_it_has_not(tmp_path: Path, weights: Path) -> None:
    clips = Clips()
    first = full_run(tmp_path, weights, clips, "abc")
    again = full_run(tmp_path, weights, clips, "abcd")
    assert clips.asked == ["a", "b", "c", "d"]
    assert again["rows"][:3] == first["rows"]
    lines = [json.loads(line) for line in (tmp_path / "little.rows.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["clip"] for line in lines] == ["a", "b", "c", "d"]
    assert {(line["arm"], line["code"], line["weights"]) for line in lines} == {
        ("ours", code_revision(["benchmarks/shared/report.py"]), weights_hash([weights]))
    }


def test_other_weights_or_another_arm_are_other_rows(tmp_path: Path, weights: Path) -> None:
    clips = Clips()
    full_run(tmp_path, weights, clips, "ab")
    weights.write_bytes(b"second")
    full_run(tmp_path, weights, clips, "ab")
    assert clips.asked == ["a", "b", "a", "b"]
    report = Report("little", Options(False, tmp_path / "little.json"), ["benchmarks/shared/report.py"], [weights])
    report.row("baseline", "a", lambda: clips.measure("a"))
    assert clips.asked == ["a", "b", "a", "b", "a"]


def test_what_is_written_about_weights_is_no_part_of_them(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"first")
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    before = weights_hash([tmp_path])
    for name in ("README.md", "training_curve.jsonl", "measured.json"):
        (tmp_path / name).write_text("measured afterwards", encoding="utf-8")
    assert weights_hash([tmp_path]) == before
    (tmp_path / "config.json").write_text('{"a": 1}', encoding="utf-8")
    assert weights_hash([tmp_path]) != before


def test_an_adapter_is_no_part_of_its_base_and_counts_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"first")
    before, adapter = weights_hash([tmp_path]), tmp_path / "adapters" / "one"
    adapter.mkdir(parents=True)
    (adapter / "model.safetensors").write_bytes(b"second")
    assert weights_hash([tmp_path]) == before
    named = weights_hash([tmp_path, adapter])
    assert named != before
    (adapter / "model.safetensors").write_bytes(b"third")
    assert weights_hash([tmp_path, adapter]) != named


def test_a_quick_run_is_partial_and_keeps_no_rows(tmp_path: Path, weights: Path) -> None:
    clips = Clips()
    data = full_run(tmp_path, weights, clips, quick=True)
    assert data["partial"] is True
    assert set(data["summary"]) == {"noun", "noun_low", "noun_high", "ratio", "hours"}
    full_run(tmp_path, weights, clips, quick=True)
    assert clips.asked == list("abcdabcd")
    assert not (tmp_path / "little.rows.jsonl").exists()


def test_the_torn_last_line_of_a_killed_run_is_made_again(tmp_path: Path, weights: Path) -> None:
    clips = Clips()
    full_run(tmp_path, weights, clips, "abc")
    stored = tmp_path / "little.rows.jsonl"
    stored.write_bytes(stored.read_bytes()[:-20])
    data = full_run(tmp_path, weights, clips, "abc")
    assert clips.asked == ["a", "b", "c", "c"]
    assert [row["clip"] for row in data["rows"]] == ["a", "b", "c"]
    full_run(tmp_path, weights, clips, "abc")
    assert len(clips.asked) == 4


KILLED = """
import os, signal, sys
from pathlib import Path
from benchmarks.shared.report import Options, Report

options = Options(False, Path(sys.argv[1]) / "little.json")
report = Report("little", options, ["benchmarks/shared/report.py"], [sys.argv[2]])
report.row("ours", "a", lambda: {"noun": 1.0, "frames": [1, 2]})
report.row("ours", "b", lambda: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_rows_outlive_kill_9(tmp_path: Path, weights: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(weights)], cwd=PROJECT_ROOT, env=os.environ, check=False
    )
    assert done.returncode == -signal.SIGKILL
    clips = Clips()
    data = full_run(tmp_path, weights, clips, "ab")
    assert clips.asked == ["b"]
    assert len(data["rows"]) == 2


def test_seconds_hold_what_an_earlier_run_needed(tmp_path: Path, weights: Path) -> None:
    full_run(tmp_path, weights, Clips(), "a")
    stored = tmp_path / "little.rows.jsonl"
    row = json.loads(stored.read_text(encoding="utf-8"))
    stored.write_text(json.dumps({**row, "row_seconds": 1000.0}) + "\n", encoding="utf-8")
    assert full_run(tmp_path, weights, Clips(), "a")["seconds"] >= 1000


def test_numbers_that_are_none_are_refused(tmp_path: Path, weights: Path) -> None:
    report = Report("little", Options(False, tmp_path / "little.json"), ["benchmarks/shared/report.py"], [weights])
    with pytest.raises(ValueError, match="not a finite number"):
        report.number("psnr", float("inf"))
    with pytest.raises(InvalidRequest):
        report.mean("noun", [])
    with pytest.raises(ValueError, match="JSON"):
        report.row("ours", "a", lambda: {"noun": float("nan")})
    report.row("ours", "b", lambda: {"noun": 1.0})
    with pytest.raises(ValueError, match="already"):
        report.row("ours", "b", lambda: {"noun": 1.0})
    report.number("noun", 1)
    with pytest.raises(ValueError, match="already"):
        report.number("noun", 2)
    assert [row["clip"] for row in report.rows] == ["b"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "little.json"
    write_json(path, {"kept": 1})
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"lost": float("nan")})
    assert json.loads(path.read_text(encoding="utf-8")) == {"kept": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["little.json"]


def test_the_code_revision_follows_contents(tmp_path: Path) -> None:
    module = tmp_path / "part" / "module.py"
    module.parent.mkdir()
    module.write_text("a = 1\n", encoding="utf-8")
    before = code_revision([module.parent])
    (module.parent / "notes.md").write_text("nothing to do with it", encoding="utf-8")
    assert code_revision([module.parent]) == before
    module.write_text("a = 2\n", encoding="utf-8")
    assert code_revision([module.parent]) != before
    with pytest.raises(FileNotFoundError):
        code_revision(["engines/no_such_file.py"])


def test_the_table_puts_intervals_behind_their_means() -> None:
    lines = table({"noun": 0.75, "noun_low": 0.7, "noun_high": 0.8, "seam_low": 2.0}).splitlines()
    assert [line.split() for line in lines] == [["noun", "0.75", "0.7", "…", "0.8"], ["seam_low", "2"]]


def test_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse_options("little", None, ["--json", "a/b.json"]) == Options(False, Path("a/b.json"))
    assert parse_options("little", None, ["--quick", "--json", "b.json"]) == Options(True, Path("b.json"))
    with pytest.raises(SystemExit):
        parse_options("little", None, ["--quick"])
    assert "--json" in capsys.readouterr().err


def test_times_are_paired_and_the_order_alternates() -> None:
    now, calls = [0.0], []

    def work(name: str, seconds: float) -> None:
        calls.append(name)
        now[0] += seconds * (1 + len(calls) // 6)  # the machine gets slower and slower

    pairs = interleaved(lambda: work("ours", 2.0), lambda: work("theirs", 4.0), clock=lambda: now[0])
    assert calls[:6] == ["ours", "theirs", "ours", "theirs", "theirs", "ours"]
    assert len(pairs.ours) == len(pairs.baseline) == 15
    assert pairs.ratio == pytest.approx(0.5)
    assert max(pairs.ours) > 3 * min(pairs.ours)  # what a comparison of totals would have had to swallow
    assert pairs.seconds == sorted(pairs.ours)[7]


def test_few_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 15"):
        interleaved(lambda: None, lambda: None, pairs=5)
