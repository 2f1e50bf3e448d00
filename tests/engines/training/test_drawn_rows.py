"""Rows that several processes draw are each in their place, and are drawn once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engines.training.drawn_rows import Kind, Row, draw_rows, open_rows

KINDS: dict[str, Kind] = {"squares": (np.int32, (2,)), "even": (np.bool_, ())}


def numbers(offset: int) -> Callable[[int], Row]:
    def row_of(row: int) -> Row:
        return {"squares": np.array([row, row * row + offset]), "even": np.array(row % 2 == 0)}, f"row {row}"

    return row_of


def test_every_row_stands_in_its_place(tmp_path: Path) -> None:
    draw_rows(tmp_path / "rows", KINDS, 7, numbers, (100,), 2)
    arrays, texts = open_rows(tmp_path / "rows", ("squares", "even"))
    assert arrays["squares"].tolist() == [[row, row * row + 100] for row in range(7)]
    assert arrays["even"].tolist() == [row % 2 == 0 for row in range(7)]
    assert texts == [f"row {row}" for row in range(7)]


def test_a_complete_folder_is_left_alone_and_an_empty_one_is_no_rows(tmp_path: Path) -> None:
    draw_rows(tmp_path, KINDS, 2, numbers, (0,), 1)
    draw_rows(tmp_path, KINDS, 9, numbers, (5,), 1)
    arrays, texts = open_rows(tmp_path, ("squares",))
    assert (len(texts), arrays["squares"][1].tolist()) == (2, [1, 1])
    with pytest.raises(FileNotFoundError):
        open_rows(tmp_path / "nothing", ("squares",))
