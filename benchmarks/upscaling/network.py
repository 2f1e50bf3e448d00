"""What tiles, number format and our code cost, on the compact network alone.

Shape legend: h rows, w columns of a frame.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.upscaling.clips import Pair
from benchmarks.upscaling.ncnn_network import NcnnCompact
from benchmarks.upscaling.ours import network
from engines.backend.precision import compute_dtype
from engines.super_resolution.resampling import as_tensor
from engines.super_resolution.tiles import enlarge

OVERLAP, SMALL_TILE = 20, 72
THREADS = 1
PAIRS = 15
HEIGHT, WIDTH = 180, 320


def seam(pair: Pair) -> dict[str, Any]:
    """Largest difference between a frame in small tiles and the whole frame, float32, 0 … 1."""
    frame = as_tensor(pair.small[len(pair.small) // 2])
    compact = network(torch.float32)
    whole, tiled = enlarge(compact, frame, tile=4096), enlarge(compact, frame, SMALL_TILE, OVERLAP)
    return {"seam_max": float((whole - tiled).abs().max())}


def bf16_psnr(pair: Pair) -> dict[str, Any]:
    """The network's output in bfloat16 against float32, dB; the peak is 1."""
    frame = as_tensor(pair.small[len(pair.small) // 2])
    exact = enlarge(network(torch.float32), frame).clamp(0, 1)
    rounded = enlarge(network(torch.bfloat16), frame.to(torch.bfloat16)).clamp(0, 1)
    error = float((exact - rounded).square().mean())
    return {"bf16_psnr_db": -10 * math.log10(max(error, 1e-12))}


def speed(folder: Path) -> dict[str, Any]:
    """ncnn and ours by turns on one frame, one thread each; medians of 15 pairs."""
    folder.mkdir(parents=True, exist_ok=True)
    exact = network(torch.float32)
    weights = {name: value.contiguous() for name, value in exact.state_dict().items()}
    theirs = NcnnCompact(weights, folder, THREADS)
    frame = torch.from_numpy(np.random.default_rng(0).random((1, 3, HEIGHT, WIDTH), np.float32))
    picked = compute_dtype(torch.device("cpu"))
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        ratio, ours, ncnn = _by_turns(lambda: theirs(frame[0].numpy()), _ours(picked, frame))
        ratio_float32, _, _ = _by_turns(lambda: theirs(frame[0].numpy()), _ours(torch.float32, frame))
    finally:
        torch.set_num_threads(before)
    return {
        "speed_ratio_vs_ncnn": ratio,
        "speed_in_bf16": float(picked is torch.bfloat16),
        "speed_ratio_vs_ncnn_float32": ratio_float32,
        "network_seconds": ours,
        "ncnn_seconds": ncnn,
    }


def _ours(dtype: torch.dtype, frame: Tensor) -> Callable[[], Tensor]:
    compact, given = network(dtype), frame.to(dtype)
    return lambda: enlarge(compact, given)


def _by_turns(theirs: Callable[[], Any], ours: Callable[[], Any]) -> tuple[float, float, float]:
    """(median of their time / ours, our median seconds, theirs)."""
    theirs(), ours()
    times = [(_seconds(theirs), _seconds(ours)) for _ in range(PAIRS)]
    ratio = statistics.median(one / other for one, other in times)
    return ratio, statistics.median(other for _, other in times), statistics.median(one for one, _ in times)


def _seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
