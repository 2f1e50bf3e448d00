"""The judges that are shipped: two networks of their own, each good on renders that it never saw."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engines.diorama.judge import JUDGES_FOLDER
from engines.diorama.judge.train import accuracy, render_batch
from engines.metrics.adherence import load_judge


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_judge_reads_held_out_renders(name: str) -> None:
    measured = json.loads((JUDGES_FOLDER / name / "measured.json").read_text(encoding="utf-8"))["renders"]
    assert min(measured.values()) >= 0.98, "on 600 renders, when it was trained"
    seen = accuracy(load_judge(JUDGES_FOLDER / name), *render_batch(np.random.default_rng(5), 48, True, None))
    assert min(seen.values()) >= 0.9


def test_the_judges_are_not_copies_of_one_another() -> None:
    first, second = (load_judge(JUDGES_FOLDER / name) for name in ("a", "b"))
    assert first.config["widths"] != second.config["widths"]
    clips, _ = render_batch(np.random.default_rng(6), 8, True, None)
    difference = (first(clips).motion - second(clips).motion).abs().mean()
    assert float(difference.detach()) > 0.1
