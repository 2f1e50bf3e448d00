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

from engines.footage.cuts import SMOOTH_FLOW, Grey, grey
from engines.media.optical_flow import optical_flow, warp

Frames = npt.NDArray[np.uint8]
SHORT_SIDE = 256  # of the frames that are measured
BLACK, WHITE = 8, 247  # grey levels that count as clipped
DRIFT = 6.0  # grey levels
CHANGED, HALF_WAY = 12, 0.2  # grey levels; part of the change by which a mixture may be off
MIXING_WORTH_A_LOOK = 0.1
BAR_LEVEL = 20  # a row of nothing brighter than this is a black bar


@dataclass(frozen=True)
class Measures:
    """Of one clip.

    Attributes:
        motion: Median length of the flow, its upper quarter averaged over the picture, in percent of the diagonal
            from one measured frame to the next (an eighth of a second). 0 where only compression noise differs.
        shake: How much the picture's own motion (median of the flow) changes from one step to the next, median, in the
            same unit: a steady pan has none.
        clarity: Variance of the Laplacian of brightness, median over frames.
        brightness: Mean grey level, 0 … 255. clipped: pixels that are black or white outside of bars, percent.
        bars: Part of the picture under black bars on opposite sides, percent.
        appeal: Colourfulness (Hasler and Süsstrunk 2003) and contrast (deviation of brightness), their mean, 0 … 100.
        mixing: Largest part of the picture that turns into something else by mere mixing, over two steps, percent: a
            dissolve or a fade. Where things move, a pixel lies half-way between its neighbours in time only by chance.
        pictures: Three 64-bit difference hashes, of the first, the middle and the last measured frame.
    """

    motion: float
    shake: float
    clarity: float
    brightness: float
    clipped: float
    bars: float
    appeal: float
    mixing: float
    pictures: tuple[int, int, int]


def measure(frames: Frames) -> Measures:
    """Measures of a clip's frames, uint8 [T, H, W, 3], an eighth of a second apart. Raises ValueError without any."""
    if not len(frames):
        raise ValueError("there is no frame to measure")
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    inside = _inside_of_bars(np.max(greys, axis=0))
    seen = [picture[inside] for picture in greys]
    small = [grey(frame[inside]) for frame in frames]
    motion, shake = _motion(small)
    return Measures(
        motion=motion,
        shake=shake,
        clarity=float(np.median([cv2.Laplacian(picture, cv2.CV_32F).var() for picture in seen])),
        brightness=float(np.mean([picture.mean() for picture in seen])),
        clipped=100 * float(np.mean([((picture <= BLACK) | (picture >= WHITE)).mean() for picture in seen])),
        bars=100 * (1 - seen[0].size / greys[0].size),
        appeal=float(np.median([_appeal(frame[inside]) for frame in frames])),
        mixing=100 * max((_mixed(*three) for three in zip(small, small[1:], small[2:], strict=False)), default=0.0),
        pictures=(picture_hash(seen[0]), picture_hash(seen[len(seen) // 2]), picture_hash(seen[-1])),
    )


def picture_hash(picture: npt.NDArray[np.uint8]) -> int:
    """64 bits: whether each of 8 × 8 fields is brighter than its right neighbour (dHash, Krawetz 2013). [H, W]."""
    small = cv2.resize(picture, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = (small[:, :-1] > small[:, 1:]).flatten()
    return int(np.packbits(bits).view(">u8")[0])


def _motion(small: list[Grey]) -> tuple[float, float]:
    """motion and shake. A small thing that moves over a still picture is motion too: the fastest quarter counts."""
    diagonal = float(np.hypot(*small[0].shape))
    lengths, own = list[float](), []
    for before, after in pairwise(small):
        flow = np.zeros((*before.shape, 2), np.float32) if _is_same(before, after) else optical_flow(before, after)
        length = np.linalg.norm(flow, axis=-1).flatten()
        fastest = max(1, length.size // 4)
        lengths.append(float(np.partition(length, -fastest)[-fastest:].mean()))
        own.append(np.median(flow.reshape(-1, 2), axis=0))
    changes = [float(np.linalg.norm(second - first)) for first, second in pairwise(own)]
    motion, shake = (float(np.median(values)) if values else 0.0 for values in (lengths, changes))
    return 100 * motion / diagonal, 100 * shake / diagonal


def _is_same(first: Grey, second: Grey) -> bool:
    """Whether nothing but compression noise differs; an encoder lets a still picture drift by a few grey levels."""
    return float(cv2.GaussianBlur(cv2.absdiff(first, second).astype(np.float32), (0, 0), 1.0).max()) < DRIFT


def _mixed(before: Grey, between: Grey, after: Grey) -> float:
    """Part of the picture that changes, is half-way changed in between, and did not merely move (smooth things that
    move look mixed, too; flow is smoothed, for unsmoothed it bends any picture into any other)."""
    first, middle, last = (picture.astype(np.float32) for picture in (before, between, after))
    change = np.abs(last - first)
    half_way = (change > CHANGED) & (np.abs(middle - (first + last) / 2) < HALF_WAY * change)
    if half_way.mean() < MIXING_WORTH_A_LOOK:
        return float(half_way.mean())
    flow = np.asarray(cv2.GaussianBlur(optical_flow(before, after), (0, 0), SMOOTH_FLOW), np.float32)
    return float((half_way & (np.abs(warp(last, flow) - first) > CHANGED)).mean())


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
