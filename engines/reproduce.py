"""Renders a file again from the record inside it and says whether the frames are the same.

Knows tasks only by their names (engines.task); the comparison is on decoded frames, read side by side as streams.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from engines.context import RunContext
from engines.errors import InvalidRequest
from engines.media.metadata import OutputRecord, read_record, sidecar_of
from engines.media.probe import probe
from engines.media.reader import ClipReader
from engines.media.target import check_folder, part_of
from engines.task import Result, make_engine, parse_request, recorded_fields, request_class


@dataclass(frozen=True)
class ReproduceReport:
    """What came of rendering again.

    Attributes:
        equal: Whether both files decode to the same frames.
        max_abs_difference: Largest difference of a colour value, 0 … 255; None if sizes or numbers of frames differ.
        frames: Frames of the new file.
        same_fingerprint: Whether both were made in the same environment; only then are equal bits promised.
        output: The new file, None if it was not to be kept.
        differences: Sentences about what is unlike: model, inputs, environment, version, size, frames.
    """

    equal: bool
    max_abs_difference: int | None
    frames: int
    same_fingerprint: bool
    output: Path | None
    differences: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """The report in words."""
        if self.equal:
            said = [f"Equal: all {self.frames} frames are the same as in the file."]
        elif self.max_abs_difference is None:
            said = ["Not equal."]
        else:
            said = [f"Not equal: colour values differ by up to {self.max_abs_difference} of 255."]
        return " ".join(said + self.differences)


def reproduce(path: Path | str, out_folder: Path | None = None, context: RunContext | None = None) -> ReproduceReport:
    """Renders `path` again.

    Args:
        path: A file that Framewright made.
        out_folder: Where to keep the new file, as NAME_again.SUFFIX; None keeps nothing.
        context: To render in; None renders in a temporary folder without reporting progress.

    Raises: UserError if the file, its record, the task, the model or the folder will not do.
    """
    path = Path(path)
    record = read_record(path)
    probe(path)  # a file that cannot be compared should say so before an hour of rendering
    if out_folder is not None:
        check_folder(out_folder)
    if context is not None:
        return _render_and_compare(path, record, out_folder, context)
    with tempfile.TemporaryDirectory(prefix="framewright_reproduce_") as folder:
        return _render_and_compare(path, record, out_folder, RunContext(Path(folder)))


def _render_and_compare(
    path: Path, record: OutputRecord, out_folder: Path | None, context: RunContext
) -> ReproduceReport:
    task = record.request.get("task")
    if not isinstance(task, str):
        raise InvalidRequest(
            f"The settings in “{path.name}” name no task.", "Choose a file that Framewright made.", "task"
        )
    request = parse_request(request_class(task), recorded_fields(record.request))
    rendered = _main_video(make_engine(task).run(request, context))
    equal, largest, frames, unlike = _compare_frames(path, rendered)
    again = read_record(rendered)
    return ReproduceReport(
        equal,
        largest,
        frames,
        again.fingerprint == record.fingerprint,
        None if out_folder is None else _keep(rendered, out_folder, path),
        unlike + _compare_records(record, again),
    )


def _main_video(result: Result) -> Path:
    return next(file.path for file in result.files if file.kind == "video")


def _compare_frames(first: Path, second: Path) -> tuple[bool, int | None, int, list[str]]:
    """(equal, largest difference or None, frames of the second, sentences)."""
    old, new = ClipReader(first), ClipReader(second)
    if (old.width, old.height) != (new.width, new.height):
        frames = sum(len(chunk) for chunk in new)
        sizes = f"The file has {old.width} × {old.height} pixels, the new one {new.width} × {new.height}."
        return False, None, frames, [sizes]
    largest, count, frames = 0, 0, 0
    for one, other in zip_longest(old, new):
        count += 0 if one is None else len(one)
        frames += 0 if other is None else len(other)
        if one is not None and other is not None and len(one) == len(other):
            largest = max(largest, int(np.abs(one.astype(np.int16) - other.astype(np.int16)).max()))
    unlike = [] if old.fps == new.fps else [f"The file has {old.fps} frames per second, the new one {new.fps}."]
    if count != frames:
        return False, None, frames, [f"The file has {count} frames, the new one {frames}.", *unlike]
    return largest == 0 and not unlike, largest, frames, unlike


def _compare_records(old: OutputRecord, new: OutputRecord) -> list[str]:
    """What, beside the frames, is unlike: the likely reasons for other frames."""
    said = []
    if old.frames_sha256 and new.frames_sha256 and old.frames_sha256 != new.frames_sha256:
        said.append("Before encoding, the frames were not the same to the last bit.")
    if old.framewright != new.framewright:
        said.append(f"It was made by version {old.framewright}, this is {new.framewright}.")
    for name, before, now in (
        ("The model", old.model, new.model),
        ("The environment", old.fingerprint, new.fingerprint),
        ("The inputs", old.inputs, new.inputs),
    ):
        changed = [f"{key} {_shown(before, key)} → {_shown(now, key)}" for key in _changed_keys(before, now)]
        if changed:
            said.append(f"{name} differ{'' if name.endswith('inputs') else 's'}: {', '.join(changed)}.")
    return said


def _changed_keys(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))


def _shown(values: dict[str, Any], key: str) -> str:
    text = str(values.get(key, "none"))
    return text if len(text) <= 40 else text[:37] + "…"


def _keep(rendered: Path, folder: Path, original: Path) -> Path:
    output = folder / f"{original.stem}_again{rendered.suffix}"
    part = part_of(output)
    try:
        shutil.copyfile(rendered, part)
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
    if sidecar_of(rendered).is_file():
        shutil.copyfile(sidecar_of(rendered), sidecar_of(output))
    return output
