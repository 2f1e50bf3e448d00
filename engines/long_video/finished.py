"""The finished chunks of a job as latents on disk: whole or not at all, and only those of this very job count.

FOLDER/chunks/00003_0123456789abcdef.safetensors    latents of chunk 3; metadata: key and digest

A chunk's key is a hash of everything that decides it, so that a later run with another prompt, plan or model finds
nothing of an earlier one, and several takes of a job can lie in one folder. The digest finds what a broken disk or a
killed copy left; such a chunk is made again.

Shape legend: latents float32 [1, C, S, h, w], all slots of the chunk, because the next one is given its last ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from engines.long_video.chunk_plan import ChunkPlan
from engines.media.target import write_atomically

_NAME = "latents"


class FinishedChunks:
    """The chunks of one film.

    That a chunk is made again after the next one was finished from it is sound only if it comes out the same to the
    bit: whatever decides it, the seed and where it matters the machine's fingerprint, belongs into `request`.

    Args:
        folder: The job's work folder.
        plan: How the film is cut.
        request: Plain data that decides every chunk.
        revision: Of the model, its LoRAs included.
    """

    def __init__(self, folder: Path, plan: ChunkPlan, request: Mapping[str, Any], revision: str) -> None:
        self._folder = folder / "chunks"
        self._plan = plan
        # No `default=str`: an object's address in its name would make every run another job.
        self._job = json.dumps([asdict(plan), dict(request), revision], sort_keys=True)

    def key(self, index: int) -> str:
        """SHA-256 in hexadecimal of plan, request, revision and index."""
        return hashlib.sha256(f"{index} {self._job}".encode()).hexdigest()

    def path(self, index: int) -> Path:
        return self._folder / f"{index:05d}_{self.key(index)[:16]}.safetensors"

    def read(self, index: int) -> Tensor | None:
        """A chunk that this or an earlier run finished, float32 [1, C, S, h, w] on the CPU; None if it must be made."""
        try:
            with safe_open(self.path(index), framework="pt") as file:
                known, latents = file.metadata() or {}, file.get_tensor(_NAME)
        except (OSError, SafetensorError):
            return None
        return latents if known.get("chunk") == self._described(index, latents) else None

    def write(self, index: int, latents: Tensor) -> None:
        """Keeps a finished chunk. Raises ResourceError for a full disk; what was there before is left."""
        values = latents.detach().to("cpu", torch.float32).contiguous()
        # One entry: safetensors writes several in an order that changes from call to call, and equal chunks would
        # not be equal files.
        known = {"chunk": self._described(index, values)}
        write_atomically(self.path(index), save({_NAME: values}, metadata=known))

    def _described(self, index: int, latents: Tensor) -> str:
        return f"{self.key(index)} {_digest(latents)}"

    @property
    def kept(self) -> int:
        """How many chunks need not be made again."""
        return sum(self.read(chunk.index) is not None for chunk in self._plan.chunks)

    def remove(self) -> None:
        """The film is whole: this job's chunks are no longer needed. Others' are left."""
        for chunk in self._plan.chunks:
            self.path(chunk.index).unlink(missing_ok=True)


def _digest(latents: Tensor) -> str:
    """Over shape and values."""
    described = f"{latents.dtype} {list(latents.shape)} ".encode()
    return hashlib.sha256(described + latents.numpy().tobytes()).hexdigest()
