"""The files of a run: one video and one still per take, each video with its own request inside, and a sheet."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import numpy as np

from engines import __version__
from engines.backend.families.base import Family, Frames
from engines.backend.fingerprint import fingerprint
from engines.errors import UserError
from engines.media.contact_sheet import contact_sheet, save_picture, spread, thumbnail
from engines.media.metadata import OutputRecord, read_record, sidecar_of
from engines.media.reader import ClipReader
from engines.media.writer import ClipWriter
from engines.task import OutputFile
from engines.text_to_video.request import TextToVideoRequest

SUFFIXES = {"mp4": ".mp4", "webm": ".webm", "gif": ".gif", "png": ".zip"}
FRAMES_ON_SHEET = 3


def take_path(folder: Path, request: TextToVideoRequest, seed: int) -> Path:
    return folder / f"seed_{seed}{SUFFIXES[request.output_format]}"


def take_record(request: TextToVideoRequest, seed: int, family: Family) -> OutputRecord:
    """What the take's file carries: the request that makes this one file again."""
    alone = request.model_copy(update={"seed": seed, "takes": 1})
    return OutputRecord(
        framewright=__version__,
        request={"task": request.task, **alone.model_dump(mode="json")},
        model={"id": family.card.id, "revision": family.revision},
        fingerprint=fingerprint(family.dtype, family.device),
    )


def frames_path(path: Path) -> Path:
    """Where the frames of a take lie without loss: pictures in a zip file, which the take itself may be."""
    return path if path.suffix == SUFFIXES["png"] else path.with_name(f"{path.stem}_frames.zip")


def is_finished(path: Path, record: OutputRecord, with_frames: bool = False) -> bool:
    """Whether an earlier run of this very request left the take complete. Anything unlike or damaged is made again."""
    if not path.is_file() or (with_frames and not frames_path(path).is_file()):
        return False
    try:
        found = read_record(path)
    except UserError:
        return False
    return found.model_dump(exclude={"frames_sha256"}) == record.model_dump(exclude={"frames_sha256"})


def thumbnail_path(path: Path) -> Path:
    """Where the still of a take lies: beside its video."""
    return path.with_name(f"{path.stem}_thumbnail.webp")


def write_take(
    path: Path, chunks: Iterable[Frames], length: int, fps: int, record: OutputRecord, with_frames: bool = False
) -> list[str]:
    """Writes frames as they come, and the middle one as the take's still.

    Still and lossless frames are there before the video is: a take that counts as finished has all of them.

    Args:
        chunks: uint8 [n, H, W, 3] each.
        length: Frames of all chunks together.
        with_frames: Whether the frames are also written without loss.

    Returns: warnings.
    Raises: ResourceError for a full disk or a closed folder.
    """
    begin, middle = 0, length // 2
    lossless = frames_path(path)
    with ClipWriter(path, Fraction(fps), metadata=record) as writer, ExitStack() as also:
        beside = also.enter_context(ClipWriter(lossless, Fraction(fps))) if with_frames and lossless != path else None
        for frames in chunks:
            writer.write(frames)
            if beside is not None:
                beside.write(frames)
            if begin <= middle < begin + len(frames):
                save_picture(thumbnail_path(path), thumbnail(frames[middle - begin : middle - begin + 1]))
            begin += len(frames)
    return writer.warnings


def take_files(path: Path, seed: int, with_frames: bool = False) -> list[OutputFile]:
    """The video, its still, its lossless frames and, where the format holds no settings, the file with them."""
    files = [
        OutputFile(path=path, kind="video", seed=seed),
        OutputFile(path=thumbnail_path(path), kind="thumbnail", seed=seed),
    ]
    if sidecar_of(path).is_file():
        files.append(OutputFile(path=sidecar_of(path), kind="metadata", seed=seed))
    if with_frames:
        files.append(OutputFile(path=frames_path(path), kind="frames", seed=seed))
    return files


def write_sheet(folder: Path, paths: list[Path], seeds: list[int], length: int) -> OutputFile:
    """A picture with a few frames of every take.

    Read from the files, so that takes which an earlier run finished are on it too.

    Args:
        length: Frames of each take.
    """
    shown = spread(length, min(length, FRAMES_ON_SHEET))
    strips = [_frames_at(path, shown) for path in paths]
    sheet = contact_sheet(strips, columns=3, labels=[f"seed {seed}" for seed in seeds], frames_per_clip=len(shown))
    target = folder / "contact_sheet.png"
    save_picture(target, sheet)
    return OutputFile(path=target, kind="contact_sheet")


def _frames_at(path: Path, indices: list[int]) -> Frames:
    """Some frames [n, H, W, 3] of a file, read as a stream.

    A GIF's coarse clock may drop the last frame: then the one before stands in for it.
    """
    found: list[Frames] = []
    begin = 0
    for chunk in ClipReader(path):
        found += [chunk[index - begin] for index in indices if begin <= index < begin + len(chunk)]
        begin += len(chunk)
        last = chunk[-1]
    return np.stack(found + [last] * (len(indices) - len(found)))
