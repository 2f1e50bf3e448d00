"""An exported run is a folder that the backend loads, with the averaged weights in it and the curve beside them."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from engines.backend.loading import load_family
from engines.training.export import export, write_curve
from engines.training.pretrain import make_transformer
from engines.training.run_state import append_log, save_state
from engines.training.sample_sheet import sample_clip
from engines.training.shared_parameters import SharedParameters
from tests.engines.tiny_models import card_for
from tests.engines.training.conftest import MakeRun


def test_an_exported_run_renders(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run("exported", steps=7, processes=1)
    run.config["sampling_shift"] = 2.0
    shared = SharedParameters.of(make_transformer(run.config), 1)
    generator = torch.Generator().manual_seed(1)
    shared.average.add_(0.05 * torch.randn(shared.average.shape, generator=generator))
    save_state(run.state, shared.state(), step=7)
    for step in (20, 40):
        append_log(run.log, step=step, phase="clips", loss=0.5, seconds_per_step=9.0, rate_factor=1.0)

    folder = tmp_path / "model"
    assert export(run, folder) == 7

    family = load_family(card_for(folder, "diorama"), folder, torch.device("cpu"), torch.float32)
    assert family.scheduler_config["shift"] == 2.0
    expected = shared.view(shared.average)["proj_in.weight"].half().float()
    assert torch.equal(family.transformer.proj_in.weight, expected), "the average was written, not the last weights"
    frames = sample_clip(family, "a fox", seed=0, frames=5, steps=2)
    assert frames.shape == (5, 96, 96, 3)
    assert frames.std() > 1, "the clip shows something"


def test_the_curve_ends_where_the_weights_end(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run("curve", steps=1, processes=1)
    append_log(run.log, event="start", step=0)
    for step in range(20, 301, 20):
        append_log(run.log, step=step, phase="clips", loss=1 / step, seconds_per_step=18.0, rate_factor=1.0)
    write_curve(run, tmp_path / "curve.jsonl", until=200)
    lines = [json.loads(line) for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [20, 120, 200]
    assert lines[-1]["hours"] == 1.0


def test_the_curve_of_a_carried_run_goes_on_from_what_stands_there(make_run: MakeRun, tmp_path: Path) -> None:
    run, path = make_run("carried", steps=1, processes=1), tmp_path / "curve.jsonl"
    earlier = [
        {"step": step, "phase": "clips", "loss": 1.0, "rate_factor": 1.0, "hours": step / 100} for step in (100, 200)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in earlier), encoding="utf-8")
    append_log(run.log, event="start", step=150)
    append_log(run.log, step=170, phase="clips", loss=0.5, seconds_per_step=18.0, rate_factor=1.0)
    for _ in range(2):
        write_curve(run, path, until=170)
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert [(line["step"], line["hours"]) for line in lines] == [(100, 1.0), (170, 1.1)]


def test_the_curve_of_a_run_that_goes_on_from_a_model_counts_its_steps_on(make_run: MakeRun, tmp_path: Path) -> None:
    run, path = make_run("further", steps=1, processes=1), tmp_path / "curve.jsonl"
    before = {"step": 500, "phase": "first", "loss": 1.0, "rate_factor": 0.05, "hours": 2.0}
    run.earlier_curve.write_text(json.dumps(before) + "\n", encoding="utf-8")
    for step in (20, 40):
        append_log(run.log, step=step, phase="more", loss=0.5, seconds_per_step=9.0, rate_factor=1.0)
    for _ in range(2):  # written again it is the same
        write_curve(run, path, until=40)
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert lines[0] == before
        assert (lines[-1]["step"], lines[-1]["hours"]) == (540, 2.1)
