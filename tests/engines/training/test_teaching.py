"""A small module learns, and a run that was killed goes on as if nothing had happened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from engines.training.teaching import Lesson, teach

LESSON = Lesson(steps=30, rate=0.05, warmup=5, log_every=10)


def a_module() -> torch.nn.Linear:
    torch.manual_seed(0)
    return torch.nn.Linear(4, 1)


def loss_of(module: torch.nn.Linear, step: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(step)
    given = torch.randn(8, 4, generator=generator)
    return (module(given) - given.sum(1, keepdim=True)).square().mean()


def test_it_learns_and_says_how_far_it_is(tmp_path: Path) -> None:
    module = a_module()
    before = float(loss_of(module, 99).detach())
    teach(module, LESSON, lambda step: loss_of(module, step), tmp_path)
    assert float(loss_of(module, 99).detach()) < 0.5 * before
    assert not module.training
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [10, 20, 30]
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_a_run_that_was_killed_goes_on_as_it_would_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, killed = a_module(), a_module()
    teach(whole, LESSON, lambda step: loss_of(whole, step), tmp_path)
    monkeypatch.setattr("engines.training.teaching.SAVE_SECONDS", 0.0)
    folder = tmp_path / "killed"
    folder.mkdir()

    def until_killed(step: int) -> torch.Tensor:
        if step == 12:
            raise KeyboardInterrupt
        return loss_of(killed, step)

    with pytest.raises(KeyboardInterrupt):
        teach(killed, LESSON, until_killed, folder)
    again, asked = torch.nn.Linear(4, 1), list[int]()

    def told(step: int) -> torch.Tensor:
        asked.append(step)
        return loss_of(again, step)

    teach(again, LESSON, told, folder)
    assert asked[0] == 12
    assert torch.equal(again.weight, whole.weight)


def test_the_rate_rises_and_falls_to_nothing() -> None:
    rates = [LESSON.rate_at(step) for step in range(LESSON.steps)]
    assert max(rates) <= LESSON.rate
    assert rates.index(max(rates)) == LESSON.warmup - 1
    assert rates[-1] < 0.01 * LESSON.rate
