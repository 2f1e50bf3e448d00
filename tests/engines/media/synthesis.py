"""Media files with known content, written with PyAV directly so that the reader is not tested against our writer."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

Pictures = npt.NDArray[np.uint8]
CLOCK = Fraction(1, 12_000)
QUICK = {"crf": "4", "preset": "ultrafast", "cpu-used": "8", "deadline": "realtime"}


def numbered_frames(count: int, height: int = 48, width: int = 64) -> Pictures:
    """Frame i is grey of value 10 · i: any frame can be told by its mean. [T, H, W, 3]"""
    values = (10 * np.arange(count)).astype(np.uint8)
    return np.broadcast_to(values[:, None, None, None], (count, height, width, 3)).copy()


def numbers_of(frames: npt.NDArray[np.uint8]) -> list[int]:
    """Which of `numbered_frames` these are."""
    return [round(float(frame.mean()) / 10) for frame in frames]


def moving_picture(count: int, height: int = 48, width: int = 64) -> Pictures:
    """A bright bar that wanders over a soft gradient. [T, H, W, 3]"""
    rows, columns = np.mgrid[0:height, 0:width]
    frames = np.stack([np.stack([rows * 3, columns * 2, rows + columns], -1)] * count).astype(np.uint8)
    for index in range(count):
        frames[index, :, (3 * index) % width : (3 * index) % width + 6] = 230
    return frames


def write_video(
    path: Path,
    frames: Pictures,
    fps: Fraction | int = 24,
    times: Sequence[Fraction] | None = None,
    rotation: int = 0,
    colour: tuple[int, int, int] = (1, 1, 1),
    pixel_format: str = "yuv420p",
    codec: str = "libx264",
    key_frame_every: int = 12,
    click_at: float | None = None,
    metadata: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    encoder_options: dict[str, str] | None = None,
) -> Path:
    """A video file.

    Args:
        times: Seconds of each frame for a variable rate; None spaces them by fps.
        colour: (scaler matrix and H.273 matrix, range 1 limited 2 full, primaries); scaler 5 is H.273 6.
        click_at: Adds stereo sound of the clip's length: silence with a click at this second.
    """
    fps = Fraction(fps)
    matrix, colour_range, primaries = colour
    with av.open(str(path), "w", options=options or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(
            codec, rate=fps, options={**QUICK, "g": str(key_frame_every), **(encoder_options or {})}
        )
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pixel_format
        # Scaler 5 (BT.601) is 6 in the file. All four tags are left open for matrix 0.
        stream.codec_context.colorspace = {0: 2, 5: 6}.get(matrix, matrix)
        stream.codec_context.color_range = 0 if matrix == 0 else colour_range
        stream.codec_context.color_primaries = primaries
        if times is not None:
            stream.time_base = stream.codec_context.time_base = CLOCK
        if rotation:
            stream.set_display_rotation(rotation)
        sound = container.add_stream("aac", rate=48_000, layout="stereo") if click_at is not None else None
        for index, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, "rgb24").reformat(
                format=pixel_format, dst_colorspace=matrix or 5, src_color_range=2, dst_color_range=colour_range
            )
            if times is None:
                picture.pts, picture.time_base = index, 1 / fps
            else:
                picture.pts, picture.time_base = round(times[index] / CLOCK), CLOCK
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
        if sound is not None:
            track = av.AudioFrame.from_ndarray(click(float(len(frames) / fps), click_at or 0.0), "fltp", "stereo")
            track.sample_rate, track.pts, track.time_base = 48_000, 0, Fraction(1, 48_000)
            container.mux(sound.encode(track))
            container.mux(sound.encode(None))
    return path


def click(seconds: float, at: float, rate: int = 48_000) -> npt.NDArray[np.float32]:
    """Stereo silence [2, samples] with 2 ms of a loud tone."""
    samples = np.zeros((2, round(seconds * rate)), np.float32)
    begin = round(at * rate)
    samples[:, begin : begin + 96] = 0.8 * np.sin(np.arange(96) * 0.8)
    return samples


def click_time(samples: npt.NDArray[np.float32], rate: int) -> float:
    """Second at which the click begins."""
    loud = np.flatnonzero(np.abs(samples[0]) > 0.25)
    assert len(loud), "there is no click"
    return float(loud[0] / rate)
