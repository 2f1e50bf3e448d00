"""Does a longer clip need more memory? Peaks of RssAnon in fresh child processes, a long clip against a short one.

Shape legend: H rows, W columns, 3 channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from benchmarks.upscaling.ours import stage
from engines.media.reader import ClipReader
from engines.media.writer import ClipWriter
from engines.metrics.memory import peak_anonymous_bytes

FPS = 30


class Panorama:
    """Footage of any length out of one picture that slides by, so that nothing of it lies in memory.

    Args:
        count, height, width: As in Footage.
    """

    def __init__(self, count: int, height: int, width: int) -> None:
        self.count, self.height, self.width = count, height, width
        self.fps = Fraction(FPS)
        y, x = np.mgrid[0:height, 0:width]
        waves = [128 + 60 * np.sin(x / (5 + c)) * np.cos(y / 7) + 40 * np.sin((x + y) / 23) for c in range(3)]
        self._picture = np.stack(waves, -1).astype(np.uint8)

    def frames(self, wanted: range) -> Iterator[npt.NDArray[np.uint8]]:
        for index in wanted:
            yield np.roll(self._picture, 2 * index, axis=1)


def read_and_write(source: str, target: str) -> int:
    """A file through ClipReader and ClipWriter; returns the number of frames."""
    reader = ClipReader(source)
    with ClipWriter(target, reader.fps) as writer:
        for chunk in reader:
            writer.write(chunk)
    return writer.frame_count


def reader_and_writer_peak(seconds: int, folder: Path, width: int = 1920, height: int = 1080) -> dict[str, int]:
    """Bytes at the peak of reading and writing so many seconds; the file is made first and kept in `folder`."""
    source = folder / f"{width}x{height}, {seconds} s.mp4"
    if not source.is_file():
        _write_source(source, Panorama(seconds * FPS, height, width))
    target = folder / "written.mp4"
    try:
        return {"peak_bytes": peak_anonymous_bytes(read_and_write, str(source), str(target))}
    finally:
        target.unlink(missing_ok=True)


def _write_source(path: Path, footage: Panorama) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=footage.fps)
        stream.width, stream.height, stream.pix_fmt = footage.width, footage.height, "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "28"}
        for frame in footage.frames(range(footage.count)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        container.mux(stream.encode(None))
    part.rename(path)


def through_network(count: int, height: int, width: int) -> int:
    """So many frames of this size, twice as large by the request's defaults; returns how many came out."""
    larger = stage(Panorama(count, height, width), 2 * height, 2 * width)
    return sum(1 for _ in larger.frames(range(count)))


def network_peak(count: int, height: int, width: int) -> dict[str, int]:
    """Bytes at the peak of upscaling so many frames of this size."""
    return {"peak_bytes": peak_anonymous_bytes(through_network, count, height, width)}
