"""Two half pictures of two moments, woven into one frame, made into one moment again."""

from __future__ import annotations

from collections.abc import Iterator

import av
from av.filter import Graph
from av.video.stream import VideoStream


def deinterlaced(frames: Iterator[av.VideoFrame], stream: VideoStream) -> Iterator[av.VideoFrame]:
    """Frames through FFmpeg's bwdif: one out for each in, at its time. Frames that are not flagged interlaced pass."""
    graph: Graph | None = None
    for frame in frames:
        if graph is None:
            graph = _graph(stream, frame)
        graph.push(frame)
        yield from _ready(graph)
    if graph is not None:
        graph.push(None)
        yield from _ready(graph)


def _graph(stream: VideoStream, frame: av.VideoFrame) -> Graph:
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or stream.time_base
    )
    weave, sink = graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink")
    source.link_to(weave)
    weave.link_to(sink)
    graph.configure()
    return graph


def _ready(graph: Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
