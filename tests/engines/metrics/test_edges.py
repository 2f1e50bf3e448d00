"""Edges on edges: a pixel beside counts, a missing or a further one costs."""

from __future__ import annotations

import numpy as np
import pytest

from engines.errors import InvalidRequest
from engines.metrics.edges import Edges, edge_f1


def line(column: int, rows: int = 20) -> Edges:
    edges = np.zeros((2, 20, 20), bool)
    edges[:, :rows, column] = True
    return edges


def test_the_same_and_the_pixel_beside_are_right() -> None:
    assert edge_f1(line(5), line(5)) == 1
    assert edge_f1(line(6), line(5)) == 1
    assert edge_f1(line(7), line(5)) == 0
    assert edge_f1(line(7), line(5), tolerance=2) == 1


def test_what_is_missing_and_what_is_too_much_costs_alike() -> None:
    half, whole = line(5, 10), line(5)
    assert edge_f1(half, whole) == pytest.approx(edge_f1(whole, half))
    assert 0.6 < edge_f1(half, whole) < 0.75
    assert edge_f1(line(5) | line(15), line(5)) == pytest.approx(2 / 3)


def test_nothing_and_nothing_agree() -> None:
    nothing = np.zeros((2, 20, 20), bool)
    assert edge_f1(nothing, nothing) == 1
    assert edge_f1(nothing, line(5)) == 0
    assert edge_f1(line(5), nothing) == 0


def test_other_shapes_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="compared"):
        edge_f1(line(5), line(5)[:1])
