"""What a file holds, from its header and one decoded frame."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from engines.errors import MediaError
from engines.media.colour import ColourTags
from engines.media.container import READABLE, check_file, damaged, open_input, subject, without_frames
from engines.media.limits import Limits
from engines.media.pictures import PictureSequence, find_pictures
from engines.media.timing import FrameRate, measure_rate
from engines.media.truncation import is_cut_off

_PACKETS_FOR_RATE = 500


@dataclass(frozen=True)
class AudioInfo:
    """The first sound track.

    Attributes:
        codec: FFmpeg's name: "aac", "opus", …
        sample_rate: Samples per second.
        channels: 1 is mono, 2 stereo, …
        duration_seconds: None if the header does not say.
    """

    codec: str
    sample_rate: int
    channels: int
    duration_seconds: float | None


@dataclass(frozen=True)
class MediaInfo:
    """What a file holds.

    Attributes:
        path: The file or folder.
        kind: "video" (GIF too), "picture" or "sequence" (pictures in a zip file or a folder).
        duration_seconds: Length of the video.
        width, height: Of the upright picture with square pixels.
        fps: Frames per second; of a variable rate, of its most usual step. A single picture has 1.
        variable_frame_rate: Whether frames follow each other unevenly.
        rotation: Degrees, counter-clockwise, by which stored frames are turned to stand upright; −180 … 180.
        codec: FFmpeg's name: "h264", "vp9", "gif", "png", …
        pixel_format: FFmpeg's name: "yuv420p", "rgb24", …
        bit_depth: Bits per colour component.
        colour: What the file says about its colours.
        audio: The first sound track, or None.
        metadata: The file's text tags.
        start_time: Seconds on the file's own clock at which the video begins.
    """

    path: Path
    kind: Literal["video", "picture", "sequence"]
    duration_seconds: float
    width: int
    height: int
    fps: Fraction
    variable_frame_rate: bool
    rotation: int
    codec: str
    pixel_format: str
    bit_depth: int
    colour: ColourTags
    audio: AudioInfo | None = None
    metadata: dict[str, str] = dataclass_field(default_factory=dict)
    start_time: Fraction = Fraction(0)


def probe(path: Path | str, limits: Limits | None = None, field: str | None = None) -> MediaInfo:
    """Reads a file's header, looks at its packets' time stamps and decodes one frame (only that tells the rotation).

    Args:
        path: A video, a picture, or pictures in a zip file or folder.
        limits: Checked before anything is decoded.
        field: Name of the request field that the file came in, for messages.

    Raises:
        MediaError: The file is missing, empty, damaged, incomplete, no media, or has no frame.
        LimitExceeded: The file is larger than `limits`.
    """
    path = Path(path)
    limits = limits or Limits(None, None, None)
    pictures = find_pictures(path, limits, field)
    if pictures is not None:
        return _picture_info(path, pictures)
    limits.check_bytes(check_file(path, field), field)
    with open_input(path, field) as container:
        stream = video_stream(container, path, field)
        if is_cut_off(path, stream):
            raise damaged(path, field)
        limits.check_pixels(stream.width, stream.height, field)
        rate, seconds = _timing(container, stream)
        limits.check_duration(float(seconds), field)
        audio = _audio_info(container)
        metadata = {**container.metadata, **stream.metadata}
        first = _first_frame(path, field)
        # A stream must not be asked anything after its container is closed: PyAV then reads freed memory.
        width, height = upright_size(stream.width, stream.height, first.rotation, stream.sample_aspect_ratio)
        return MediaInfo(
            path, "video", float(seconds), width, height, rate.fps, rate.variable, first.rotation,
            stream.codec_context.name, first.format.name, max(part.bits for part in first.format.components),
            ColourTags.of(first), audio, metadata, _start(stream),
        )  # fmt: skip


def video_stream(container: InputContainer, path: Path, field: str | None) -> VideoStream:
    """The first moving picture of an open file. Raises MediaError if it has none."""
    # A sound file's cover is a video stream of one frame to FFmpeg.
    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        raise MediaError(
            f"{subject(path, field)} has no video, only {_other_streams(container)}.",
            f"Choose a file with a video stream, in {READABLE}.",
            field,
        )
    return streams[0]


def upright_size(width: int, height: int, rotation: int, pixel_aspect: Fraction | None) -> tuple[int, int]:
    """Width and height as shown: square pixels first, then turned by `rotation` degrees."""
    if pixel_aspect and pixel_aspect != 1:
        width = round(width * pixel_aspect)
    return (height, width) if rotation % 180 == 90 else (width, height)


def _start(stream: VideoStream) -> Fraction:
    return Fraction(stream.start_time or 0) * (stream.time_base or 0)


def _other_streams(container: InputContainer) -> str:
    kinds = sorted({stream.type for stream in container.streams})
    return " and ".join(kinds) if kinds else "an empty container"


def _timing(container: InputContainer, stream: VideoStream) -> tuple[FrameRate, Fraction]:
    tick = Fraction(stream.time_base or Fraction(1, 1000))
    # Not guessed_rate: it takes a GIF's hundredths of a second for 24000/1001.
    stated = stream.average_rate
    duration = Fraction(stream.duration) * tick if stream.duration else None
    if duration is None and container.duration:
        duration = Fraction(container.duration, av.time_base)
    entries = stream.index_entries
    if stream.frames > 1 and len(entries) == stream.frames:
        times = [entry.timestamp * tick for entry in entries]
    else:
        # Without a duration in the header (recordings of a browser) the whole file is scanned, still not decoded.
        times = _packet_times(container, stream, tick, _PACKETS_FOR_RATE if duration else None)
    rate = measure_rate(times, tick, stated)
    if duration is None:
        duration = max(times) - min(times) + 1 / rate.fps if times else 1 / rate.fps
    return rate, duration


def _packet_times(container: InputContainer, stream: VideoStream, tick: Fraction, most: int | None) -> list[Fraction]:
    times: list[Fraction] = []
    for packet in container.demux(stream):
        if packet.pts is not None:
            times.append(packet.pts * tick)
        if most is not None and len(times) >= most:
            break
    # Packets come in decoding order: the newest few may have later neighbours that were not read.
    return times if most is None or len(times) < most else sorted(times)[:-20]


def _audio_info(container: InputContainer) -> AudioInfo | None:
    if not container.streams.audio:
        return None
    stream = container.streams.audio[0]
    seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
    return AudioInfo(stream.codec_context.name, stream.rate or 0, stream.channels, seconds)


def _first_frame(path: Path, field: str | None) -> av.VideoFrame:
    with open_input(path, field) as container:
        stream = video_stream(container, path, field)
        for frame in container.decode(stream):
            return frame
    raise without_frames(path, field)


def _picture_info(path: Path, pictures: PictureSequence) -> MediaInfo:
    width, height = pictures.size
    return MediaInfo(
        path, "picture" if pictures.single else "sequence", float(len(pictures) / pictures.fps), width, height,
        pictures.fps, False, 0, pictures.codec, "rgb48le" if pictures.bit_depth == 16 else "rgb24", pictures.bit_depth,
        ColourTags("rgb", "full", "bt709", "iec61966_2_1"),
    )  # fmt: skip
