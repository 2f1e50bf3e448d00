"""Sound that lasts longer and keeps its pitch."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.filter import Graph

from engines.media.clip import Samples

# FFmpeg's atempo overlaps grains of sound; below half the tempo two of them in a row sound better than one.
_SLOWEST_STEP = Fraction(1, 2)


def stretched(blocks: Iterator[Samples], sample_rate: int, slower: Fraction) -> Iterator[Samples]:
    """Blocks float32 [channels, samples] (one or two channels), `slower` times as long in all."""
    graph: Graph | None = None
    position = 0
    for block in blocks:
        layout = "mono" if block.shape[0] == 1 else "stereo"
        if graph is None:
            graph = _graph(sample_rate, layout, 1 / slower)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = sample_rate, position, Fraction(1, sample_rate)
        position += block.shape[1]
        graph.push(frame)
        yield from _ready(graph)
    if graph is not None:
        graph.push(None)
        yield from _ready(graph)


def _graph(sample_rate: int, layout: str, tempo: Fraction) -> Graph:
    graph = Graph()
    last = graph.add_abuffer(sample_rate=sample_rate, format="fltp", layout=layout, time_base=Fraction(1, sample_rate))
    while tempo != 1:
        step = max(tempo, _SLOWEST_STEP)
        following = graph.add("atempo", f"{float(step):.6f}")
        last.link_to(following)
        last, tempo = following, tempo / step
    planar, sink = graph.add("aformat", "sample_fmts=fltp"), graph.add("abuffersink")
    last.link_to(planar)
    planar.link_to(sink)
    graph.configure()
    return graph


def _ready(graph: Graph) -> Iterator[Samples]:
    while True:
        try:
            pulled = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        assert isinstance(pulled, av.AudioFrame)
        yield pulled.to_ndarray().astype(np.float32, copy=False)
