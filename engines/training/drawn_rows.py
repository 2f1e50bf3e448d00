"""Rows that a small module learns from, drawn once by several processes and read as memory maps.

A folder holds one .npy file for each array, [n, …], and texts.json with a text for each row; that file is written last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from engines.worker_processes import even_parts, run_in_processes

TEXTS = "texts.json"
Kind = tuple[npt.DTypeLike, tuple[int, ...]]
Row = tuple[Mapping[str, npt.NDArray[Any]], str]  # array → its values of the row, and the row's text


def draw_rows(
    folder: Path, kinds: Mapping[str, Kind], count: int, row_of: Callable[..., Callable[[int], Row]],
    given: tuple[Any, ...], processes: int,
) -> None:  # fmt: skip
    """Fills the folder. Does nothing where it is complete already.

    Args:
        kinds: Array → its type and the shape of a row.
        row_of: Called with `given` once in each process; what it gives back draws a row by its number.
    """
    if (folder / TEXTS).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, (kind, shape) in kinds.items():
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.dtype(kind), (count, *shape)).flush()
    parts = even_parts(count, processes)
    run_in_processes(_fill, [(folder, tuple(kinds), row_of, given, part) for part in parts], f"drawing into {folder}")
    texts = [text for part in parts for text in json.loads(_texts_of(folder, part).read_text(encoding="utf-8"))]
    (folder / TEXTS).write_text(json.dumps(texts), encoding="utf-8")


def _fill(
    folder: Path, names: tuple[str, ...], row_of: Callable[..., Callable[[int], Row]], given: tuple[Any, ...],
    rows: range,
) -> None:  # fmt: skip
    torch.set_num_threads(1)
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r+") for name in names}
    drawn, texts = row_of(*given), []
    for row in rows:
        values, text = drawn(row)
        for name in names:
            arrays[name][row] = values[name]
        texts.append(text)
    for array in arrays.values():
        array.flush()
    _texts_of(folder, rows).write_text(json.dumps(texts), encoding="utf-8")


def _texts_of(folder: Path, rows: range) -> Path:
    return folder / f"texts.{rows.start}.json"


def open_rows(folder: Path, names: tuple[str, ...]) -> tuple[dict[str, npt.NDArray[Any]], list[str]]:
    """The arrays and the texts. Raises FileNotFoundError where nothing was drawn."""
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names}
    return arrays, json.loads((folder / TEXTS).read_text(encoding="utf-8"))
