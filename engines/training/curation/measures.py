"""What is measured of a clip, to tell good material from bad before anything is trained on it.

Shape legend: T frames, H rows, W columns. Thresholds after the papers of rows 31 (OpenHumanVid), 35 (Stable Video
Diffusion) and 50 (OpenVid-1M); the measures are cheap stand-ins of theirs, named for what they measure.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from engines.footage.cuts import grey, likeness
from engines.media.optical_flow import optical_flow

Frames = npt.NDArray[np.uint8]
SHORT_SIDE = 256  # of the frames that are measured
BLACK, WHITE = 8, 247  # grey levels that count as clipped
BAR_LEVEL = 20  # a row of nothing brighter than this is a black bar


@dataclass(frozen=True)
class Measures:
    """Of one clip.

    Attributes:
        motion: Median length of the flow, its upper quarter averaged over the picture, in percent of the diagonal
            from one measured frame to the next (an eighth of a second).
        clarity: Variance of the Laplacian of brightness, median over frames.
        brightness: Mean grey level, 0 … 255. clipped: pixels that are black or white outside of bars, percent.
        bars: Part of the picture under black bars on opposite sides, percent.
        appeal: Colourfulness (Hasler and Süsstrunk 2003) and contrast (deviation of brightness), their mean, 0 … 100.
        continuity: Least likeness of two measured frames three steps apart, laid over each other along flow.
        pictures: Three 64-bit difference hashes, of the first, the middle and the last measured frame.
    """

    motion: float
    clarity: float
    brightness: float
    clipped: float
    bars: float
    appeal: float
    continuity: float
    pictures: tuple[int, int, int]


def measure(frames: Frames) -> Measures:
    """Measures of a clip's frames, uint8 [T, H, W, 3], an eighth of a second apart. Raises ValueError without any."""
    if not len(frames):
        raise ValueError("there is no frame to measure")
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    inside = _inside_of_bars(np.max(greys, axis=0))
    seen = [picture[inside] for picture in greys]
    small = [grey(frame[inside]) for frame in frames]
    apart = 3
    likenesses = [likeness(*pair) for pair in zip(small, small[apart:], strict=False)]
    return Measures(
        motion=_motion(small),
        clarity=float(np.median([cv2.Laplacian(picture, cv2.CV_32F).var() for picture in seen])),
        brightness=float(np.mean([picture.mean() for picture in seen])),
        clipped=100 * float(np.mean([((picture <= BLACK) | (picture >= WHITE)).mean() for picture in seen])),
        bars=100 * (1 - seen[0].size / greys[0].size),
        appeal=float(np.median([_appeal(frame[inside]) for frame in frames])),
        continuity=min(likenesses, default=1.0),
        pictures=(picture_hash(seen[0]), picture_hash(seen[len(seen) // 2]), picture_hash(seen[-1])),
    )


def picture_hash(picture: npt.NDArray[np.uint8]) -> int:
    """64 bits: whether each of 8 × 8 fields is brighter than its right neighbour (dHash, Krawetz 2013). [H, W]."""
    small = cv2.resize(picture, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = (small[:, :-1] > small[:, 1:]).flatten()
    return int(np.packbits(bits).view(">u8")[0])


def _motion(small: list[npt.NDArray[np.uint8]]) -> float:
    """A small thing that moves over a still picture is motion too: the mean of the fastest quarter of the pixels."""
    diagonal = float(np.hypot(*small[0].shape))
    lengths = []
    for pair in pairwise(small):
        length = np.linalg.norm(optical_flow(*pair), axis=-1).flatten()
        fastest = max(1, length.size // 4)
        lengths.append(float(np.partition(length, -fastest)[-fastest:].mean()))
    return 100 * float(np.median(lengths)) / diagonal if lengths else 0.0


def _inside_of_bars(brightest: npt.NDArray[np.uint8]) -> tuple[slice, slice]:
    """Rows and columns without the black bars that lie on opposite sides, [H, W] → slices; a black picture is whole."""
    kept = []
    for values in (brightest.max(axis=1), brightest.max(axis=0)):
        lit = np.flatnonzero(values > BAR_LEVEL)
        first, last = (int(lit[0]), int(lit[-1]) + 1) if len(lit) else (0, len(values))
        # One dark side alone is a dark picture.
        bar = min(first, len(values) - last)
        kept.append(slice(bar, len(values) - bar))
    return kept[0], kept[1]


def _appeal(frame: Frames) -> float:
    red, green, blue = (channel.astype(np.float32) for channel in np.moveaxis(frame, -1, 0))
    first, second = red - green, (red + green) / 2 - blue
    deviation, mean = np.hypot(first.std(), second.std()), np.hypot(first.mean(), second.mean())
    colourfulness = float(deviation + 0.3 * mean)
    contrast = float((0.2126 * red + 0.7152 * green + 0.0722 * blue).std())
    return min(100.0, (colourfulness + contrast) / 2)
