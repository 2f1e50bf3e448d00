"""A wrong line of a configuration is named before anything starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from engines.errors import InvalidRequest
from engines.training.__main__ import main
from engines.training.run import Run, keep_config
from engines.training.run_config import read_config
from tests.engines.training.conftest import MakeRun, tiny_config

PRESETS = sorted(Path("presets/training").glob("diorama*.yaml"))


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_every_preset_is_valid(path: Path) -> None:
    assert read_config(path)["phases"]


def set_in(config: dict[str, Any], *path: Any, value: Any) -> None:
    for step in path[:-1]:
        config = config[step]
    config[path[-1]] = value


MISTAKES: dict[str, tuple[Callable[[dict[str, Any]], None], str | None, str]] = {
    "unknown field": (lambda c: set_in(c, "noise", "per_frames", value=0.1), "noise.per_frames", "no field"),
    "missing": (lambda c: c.pop("rates"), "rates", "missing"),
    "out of range": (lambda c: set_in(c, "phases", 0, "keep", value=0), "phases.0.keep", "greater than 0"),
    "no number": (lambda c: set_in(c, "rates", "muon", value="fast"), "rates.muon", "valid number"),
    "frames": (lambda c: set_in(c, "caches", "clips", "frames", value=10), "caches.clips", "4k \\+ 1"),
    "size": (lambda c: set_in(c, "caches", "clips", "width", value=72), "caches.clips.width", "multiple of 32"),
    "keyframes": (lambda c: set_in(c, "caches", "clips", "keyframes", value=[3, 9]), "caches.clips", "between 1 and 8"),
    "mode": (lambda c: set_in(c, "noise", "modes", value={"everything": 1.0}), "noise.modes.everything", "'nothing'"),
    "shares of modes": (lambda c: set_in(c, "noise", "modes", value={"nothing": 0.4}), "noise", "add up to 0.4"),
    "unknown cache": (
        lambda c: set_in(c, "phases", 0, "shares", value={"cats": 1}),
        None,
        "no cache “cats”, only clips",
    ),
    "no shares": (lambda c: set_in(c, "phases", 0, "shares", value={"clips": 0}), None, "are all 0"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named(mistake: str, tmp_path: Path) -> None:
    spoil, field, message = MISTAKES[mistake]
    config = tiny_config(3, 1)
    spoil(config)
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    with pytest.raises(InvalidRequest, match=message) as raised:
        read_config(path)
    assert raised.value.field == field
    assert str(path) in raised.value.message


@pytest.mark.parametrize(("text", "message"), [("a: [1", "not readable YAML"), ("7", "no fields")])
def test_what_is_no_configuration_is_said(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidRequest, match=message):
        read_config(path)


def test_the_command_line_says_it_without_a_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trunk", "--run", str(tmp_path), "--config", str(tmp_path / "none.yaml")]) == 2
    assert "There is no configuration" in capsys.readouterr().err
    assert main(["trunk", "--run", str(tmp_path)]) == 2
    assert "Run the command prepare first." in capsys.readouterr().err
    for command in ("export", "carry", "curve"):
        assert main([command, "--run", str(tmp_path), "--out", str(tmp_path / "x.png")]) == 2


def test_a_run_keeps_to_its_configuration(make_run: MakeRun) -> None:
    run = make_run("kept", steps=3)
    run.state.write_bytes(b"there is one")
    keep_config(run)
    longer = {**run.config, "phases": [{**run.config["phases"][0], "steps": 9}]}
    keep_config(Run(run.folder, longer))
    assert read_config(run.folder / "config.yaml")["phases"][0]["steps"] == 9
    with pytest.raises(InvalidRequest, match="begun with another seed") as raised:
        keep_config(Run(run.folder, {**longer, "seed": 6}))
    assert raised.value.field == "seed"
    assert read_config(run.folder / "config.yaml")["seed"] == 5, "the copy stays what the run was begun with"
