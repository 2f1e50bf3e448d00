"""What every task about footage does once its last stage stands: write it chunk by chunk and say what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import torch

from engines.backend.process_memory import peak_memory_bytes
from engines.context import RunContext
from engines.footage.export import suffix, video_format
from engines.footage.fields import ExportFields
from engines.footage.footage import Footage
from engines.footage.rendering import Output, render_footage
from engines.media.audio_encoding import AudioSource
from engines.media.clip import AudioTrack
from engines.media.metadata import OutputRecord
from engines.media.target import check_target
from engines.task import Result


@dataclass(frozen=True)
class FootageJob:
    """The last stage of a task and where it goes.

    Attributes:
        footage: The last stage.
        output: See Output.
        device: Where the stages' networks are.
        warnings: What the request's check said.
    """

    footage: Footage
    output: Output
    device: torch.device
    warnings: list[str] = field(default_factory=list)


def export_path(request: ExportFields, folder: Path, name: str, fps: Fraction) -> Path:
    """Of the result's file. Asked before a network is loaded. Raises: MediaError or ResourceError if it cannot be."""
    path = folder / f"{name}{suffix(request)}"
    check_target(path, fps, field="codec")
    return path


def export_output(
    request: ExportFields, path: Path, record: OutputRecord, audio: AudioTrack | AudioSource | None
) -> Output:
    """What is written where, as the request's export fields want it."""
    return Output(
        path=path,
        how=video_format(request),
        audio=audio if request.keep_audio else None,
        record=None if request.strip_metadata else record,
        plan=record.model_dump(mode="json"),
    )


def render_job(job: FootageJob, context: RunContext, started: float) -> Result:
    """Renders into the job's file; finished chunks of the same request are kept.

    Args:
        started: time.perf_counter() when the task began, loading included.

    Returns: the video and its still; measurements seconds, seconds_per_frame, frames, width, height, fps, chunks,
        chunks_kept, peak_memory_bytes.
    Raises: UserError, Cancelled or Paused.
    """
    rendered = render_footage(job.footage, job.output, context)
    measurements = {
        "seconds": time.perf_counter() - started,
        "seconds_per_frame": rendered.seconds_per_frame,
        "frames": float(job.footage.count),
        "width": float(job.footage.width),
        "height": float(job.footage.height),
        "fps": float(job.footage.fps),
        "chunks": float(rendered.chunks),
        "chunks_kept": float(rendered.chunks_kept),
        "peak_memory_bytes": float(peak_memory_bytes(job.device)),
    }
    return Result(files=rendered.files, measurements=measurements, warnings=[*job.warnings, *rendered.warnings])
