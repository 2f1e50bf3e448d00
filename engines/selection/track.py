"""The mask of every frame of a clip, from marks on some of them, kept in a file.

FOLDER/masks.npy     uint8 [T, h, w], 255 selected, at the working size; memory-mapped, so a long clip needs no memory
FOLDER/masks.json    what they are of, written after the file; another clip or other marks begin anew

Shape legend: T frames, H rows, W columns of the clip; h, w of the working size.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from engines.footage.alignment import Floats, Picture, eight_bit
from engines.footage.cuts import FLASH_FRAMES, grey, is_cut
from engines.footage.footage import Footage
from engines.footage.neighbours import with_neighbours
from engines.media.target import check_folder, disk_errors, part_of, write_atomically
from engines.selection.edges import refined
from engines.selection.marks import Mark, check_marks
from engines.selection.propagate import blended, carried, working_size
from engines.selection.sizes import resized
from engines.selection.strokes import mask_of_marks

# Changes whenever the same marks give other masks: files of an older way are not used.
VERSION = 1
# Frames that are read at once where time is walked backwards; at the working size 64 take 25 MB.
BLOCK = 64
Masks = npt.NDArray[np.uint8]
OnStep = Callable[[int, int], None]


class MaskTrack:
    """The masks of a clip. Make one with `track_marks`.

    Args:
        source: The clip.
        values: uint8 [T, h, w], 255 selected.
    """

    def __init__(self, source: Footage, values: Masks) -> None:
        self._source, self.values = source, values

    def mattes(self, wanted: range) -> Iterator[Floats]:
        """One float32 [H, W], 0 … 1, for each of these frames: laid to the frame's edges where it is larger."""
        size = (self._source.height, self._source.width)
        if max(size) <= max(self.values.shape[1:]):
            for number in wanted:
                yield resized(self.values[number].astype(np.float32) / np.float32(255), size)
            return
        for number, frame in zip(wanted, self._source.frames(wanted), strict=True):
            yield refined(self.values[number].astype(np.float32) / np.float32(255), frame)

    def masks(self, wanted: range) -> Iterator[Masks]:
        """The same as uint8 [H, W], 0 … 255."""
        for matte in self.mattes(wanted):
            yield np.rint(matte * 255).astype(np.uint8)


def track_marks(
    source: Footage, marks: Sequence[Mark], folder: Path, on_step: OnStep = lambda done, total: None
) -> MaskTrack:
    """The masks that marks on some frames mean, on all frames.

    From the last marked frame a mask is carried to the end and from the first one to the beginning; between two marked
    frames both ways, blended by distance. A shot that no mark is in has empty masks: nothing is carried over a cut.
    The same clip and marks give the same bytes; a file that an earlier run finished is used again.

    Args:
        folder: The job's work folder.
        on_step: Called with (frames done, frames in all), several times; may raise to cancel.

    Raises: InvalidRequest naming "marks". ResourceError if the folder cannot be written.
    """
    check_marks(marks, source)
    path = folder / "masks.npy"
    plan = _plan(source, marks)
    listed = path.with_suffix(".json")
    if not (path.is_file() and listed.is_file() and listed.read_text(encoding="utf-8") == plan):
        check_folder(folder)
        listed.unlink(missing_ok=True)
        part = part_of(path)
        with disk_errors(path):
            _Tracking(source, marks, on_step).write(part)
            os.replace(part, path)
        write_atomically(listed, plan.encode())
    return MaskTrack(source, cast(Masks, np.load(path, mmap_mode="r")))


class _Tracking:
    """One run over a clip."""

    def __init__(self, source: Footage, marks: Sequence[Mark], on_step: OnStep) -> None:
        self._source, self._on_step = source, on_step
        self._size = working_size(source.height, source.width)
        self._scale = (self._size[1] / source.width, self._size[0] / source.height)
        self._marks = {key: [mark for mark in marks if mark.frame == key] for key in sorted({m.frame for m in marks})}
        keys = list(self._marks)
        # Looking for cuts, forwards from the first mark, backwards from the last one.
        self._done, self._total = 0, 2 * source.count - keys[0] + keys[-1] - len(keys) + 1

    def write(self, path: Path) -> None:
        """Fills a file."""
        shape = (self._source.count, *self._size)
        values = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
        cuts = self._cuts()
        keys = list(self._marks)
        self._forwards(values, keys[0], cuts)
        for earlier, key in zip([None, *keys[:-1]], keys, strict=True):
            self._backwards(values, earlier, key, cuts)
        values.flush()

    def _forwards(self, values: Masks, first: int, cuts: set[int]) -> None:
        """From the first marked frame to the end; every marked frame corrects what is carried from there on."""
        mask: Floats | None = None
        before: Picture | None = None
        for number, picture in zip(range(first, self._source.count), self._pictures(first), strict=True):
            if mask is not None and before is not None:
                mask = np.zeros_like(mask) if number in cuts else carried(mask, before, picture)
            if number in self._marks:
                so_far = mask if mask is not None and mask.any() else None
                mask = mask_of_marks(picture, self._marks[number], self._scale, so_far)
            assert mask is not None
            values[number] = np.rint(mask * 255)
            before = picture
            self._step()

    def _backwards(self, values: Masks, earlier: int | None, key: int, cuts: set[int]) -> None:
        """From a marked frame to the one before it, or to the beginning."""
        end = -1 if earlier is None else earlier
        mask, after = _loaded(values[key]), None
        for number, picture in self._reversed(end + 1, key + 1):
            if after is not None:
                if number + 1 in cuts:
                    mask = np.zeros_like(mask)
                else:
                    mask = carried(mask, after, picture)
                values[number] = np.rint(self._between(values, number, mask, picture, (earlier, key), cuts) * 255)
                self._step()
            after = picture

    def _between(
        self, values: Masks, number: int, mask: Floats, picture: Picture, ends: tuple[int | None, int], cuts: set[int]
    ) -> Floats:
        """What came from behind, and what came from before if anything did."""
        earlier, key = ends
        if earlier is None or any(earlier < cut <= number for cut in cuts):
            return mask
        forward = _loaded(values[number])
        if any(number < cut <= key for cut in cuts):
            return forward
        return blended(picture, forward, mask, (number - earlier) / (key - earlier))

    def _cuts(self) -> set[int]:
        """Numbers of frames that begin a shot."""

        def greys(wanted: range) -> Iterator[Any]:
            return (grey(frame) for frame in self._source.frames(wanted))

        found, count = set(), self._source.count
        for number, near in enumerate(with_neighbours(greys, range(count), FLASH_FRAMES + 1, count)):
            before, after = near.items[: near.at], near.items[near.at :][: FLASH_FRAMES + 1]
            if before and is_cut(before, after):
                found.add(number)
            self._step()
        return found

    def _pictures(self, first: int, last: int | None = None) -> Iterator[Picture]:
        """Frames at the working size."""
        wanted = range(first, self._source.count if last is None else last)
        return (resized(eight_bit(frame), self._size) for frame in self._source.frames(wanted))

    def _reversed(self, first: int, last: int) -> Iterator[tuple[int, Picture]]:
        """Numbers and pictures from last − 1 down to first, read a block at a time."""
        for end in range(last, first, -BLOCK):
            begin = max(first, end - BLOCK)
            yield from reversed(list(enumerate(self._pictures(begin, end), begin)))

    def _step(self) -> None:
        self._done += 1
        self._on_step(self._done, self._total)


def _loaded(values: Masks) -> Floats:
    return np.asarray(values, np.float32) / np.float32(255)


def _plan(source: Footage, marks: Sequence[Mark]) -> str:
    """What decides every mask, as text: one marked frame stands for the clip."""
    first = min(mark.frame for mark in marks)
    frame = next(source.frames(range(first, first + 1)))
    said = {
        "version": VERSION, "marks": [mark.model_dump(mode="json") for mark in marks], "count": source.count,
        "size": [source.width, source.height], "frame": hashlib.sha256(frame.tobytes()).hexdigest(),
    }  # fmt: skip
    return json.dumps(said, sort_keys=True)
