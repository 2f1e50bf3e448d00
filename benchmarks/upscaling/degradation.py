"""From a truth to what would have been filmed, and nothing random that a seed does not decide.

Shape legend: T frames, H rows, W columns of the truth; h = H / scale, w = W / scale.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Frames = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Degradation:
    """Blur, then shrinking, then noise, then H.264.

    Attributes:
        blur: Standard deviation of a Gaussian on the truth, pixels.
        noise: Standard deviation of Gaussian noise per channel on the shrunk frames, of 255.
        crf: x264's quality, 0 … 51; 23 is usual, 30 shows blocks.
    """

    blur: float
    noise: float
    crf: int


def shrink(frames: Frames, scale: int) -> Frames:
    """Antialiased bicubic (the scaling of most super-resolution papers), uint8 [T, h, w, 3].

    Raises: ValueError if H or W is not a multiple of the scale.
    """
    height, width = frames.shape[1:3]
    if height % scale or width % scale:
        raise ValueError(f"{height} × {width} cannot be shrunk {scale} times without a rest")
    return resized(frames, (width // scale, height // scale), Image.Resampling.BICUBIC)


def degrade(frames: Frames, scale: int, how: Degradation, fps: Fraction, seed: int) -> Frames:
    """What is left after blur, shrinking, noise and low-bitrate H.264: uint8 [T, h, w, 3]; h and w are even.

    The same frames and seed give the same result.
    """
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), how.blur) for frame in frames]).astype(np.uint8)
    small = shrink(blurred, scale)
    noise = np.random.default_rng(seed).normal(0, how.noise, small.shape)
    return through_h264(np.clip(np.rint(small + noise), 0, 255).astype(np.uint8), fps, how.crf)


def through_h264(frames: Frames, fps: Fraction, crf: int) -> Frames:
    """Encoded and decoded in memory by x264 with one thread (so always the same): uint8, shaped like `frames`."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        # Without macroblock trees: engines/media/encoding.py says why.
        stream.options = {"crf": str(crf), "preset": "medium", "threads": "1", "x264-params": "mbtree=0"}
        for frame in frames:
            container.mux(stream.encode(_yuv420(frame)))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as written:
        return np.stack([_rgb(picture) for picture in written.decode(video=0)])


def resized(frames: Frames, size: tuple[int, int], method: Image.Resampling) -> Frames:
    """Each frame to (width, height) by Pillow, which widens the filter when it shrinks."""
    return np.stack([np.asarray(Image.fromarray(frame).resize(size, method)) for frame in frames])


def _yuv420(frame: Frames) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(frame, "rgb24").reformat(format="yuv420p", dst_colorspace="ITU709")


def _rgb(picture: Any) -> Frames:
    rgb: Frames = picture.reformat(format="rgb24", src_colorspace="ITU709").to_ndarray()
    return rgb
