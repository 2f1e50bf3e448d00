"""What a job has finished, as tensors on disk: whole or not at all, and only what is of this very job counts.

FOLDER/chunks/00003_0123456789abcdef.safetensors    latents of chunk 3; metadata: key and digest
FOLDER/chunks/steps_0123456789abcdef.safetensors    the film's tokens after a step, where all chunks go side by side

A key is a hash of everything that decides what is kept, so that a later run with another prompt, plan or model finds
nothing of an earlier one, and several takes of a job can lie in one folder. The digest finds what a broken disk or a
killed copy left; such a file counts as missing.

Shape legend: latents float32 [1, C, S, h, w], all slots of the chunk, because the next one is given its last ones;
tokens float32 [1, N, D].
"""

from __future__ import annotations

import hashlib
import json
import shutil
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

_NAME, _STATE = "latents", "state"


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
        self._job = _job(plan, request, revision)

    def key(self, index: int) -> str:
        """SHA-256 in hexadecimal of plan, request, revision and index."""
        return _key(index, self._job)

    def path(self, index: int) -> Path:
        return self._folder / f"{index:05d}_{self.key(index)[:16]}.safetensors"

    def read(self, index: int) -> Tensor | None:
        """A chunk that this or an earlier run finished, float32 [1, C, S, h, w] on the CPU; None if it must be made."""
        found = _read(self.path(index), self.key(index))
        return None if found is None else found[_NAME]

    def read_state(self, index: int) -> Tensor | None:
        """What the chunk left for the one after it beside its latents; None if it left nothing or must be made."""
        found = _read(self.path(index), self.key(index))
        return None if found is None else found.get(_STATE)

    def write(self, index: int, latents: Tensor, state: Tensor | None = None) -> None:
        """Keeps a finished chunk. Raises ResourceError for a full disk; what was there before is left."""
        further = {} if state is None else {_STATE: state}
        _write(self.path(index), self.key(index), {_NAME: latents, **further})

    @property
    def kept(self) -> int:
        """How many chunks need not be made again."""
        return sum(self.read(chunk.index) is not None for chunk in self._plan.chunks)

    def remove(self) -> None:
        """The film is whole: this job's chunks are no longer needed. Others' are left."""
        for chunk in self._plan.chunks:
            self.path(chunk.index).unlink(missing_ok=True)


class KeptSteps:
    """How far the steps of a film are whose chunks go side by side: each step takes the place of the one before.

    Args:
        name: Of the pass, where a film goes through several. The others as those of FinishedChunks.
    """

    def __init__(
        self, folder: Path, plan: ChunkPlan, request: Mapping[str, Any], revision: str, name: str = "steps"
    ) -> None:
        self._key = _key(name, _job(plan, request, revision))
        self.path = folder / "chunks" / f"{name}_{self._key[:16]}.safetensors"

    def read(self) -> tuple[int, Tensor] | None:
        """Steps that are done, and the film's tokens after them on the CPU."""
        found = _read(self.path, self._key)
        return None if found is None else (int(found["done"]), found[_STATE])

    def write(self, done: int, tokens: Tensor) -> None:
        """Raises ResourceError for a full disk; what was there before is left."""
        _write(self.path, self._key, {_STATE: tokens, "done": torch.tensor(done)})

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def forget_chunks(folder: Path) -> None:
    """All of the job's films are whole."""
    shutil.rmtree(folder / "chunks", ignore_errors=True)


def _job(plan: ChunkPlan, request: Mapping[str, Any], revision: str) -> str:
    # No `default=str`: an object's address in its name would make every run another job.
    return json.dumps([asdict(plan), dict(request), revision], sort_keys=True)


def _key(which: int | str, job: str) -> str:
    return hashlib.sha256(f"{which} {job}".encode()).hexdigest()


def _read(path: Path, key: str) -> dict[str, Tensor] | None:
    try:
        with safe_open(path, framework="pt") as file:
            known, tensors = file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return None
    return tensors if known.get("chunk") == f"{key} {_digest(tensors)}" else None


def _write(path: Path, key: str, tensors: Mapping[str, Tensor]) -> None:
    values = {name: _plain(tensor) for name, tensor in tensors.items()}
    # One entry: safetensors writes several in an order that changes from call to call, and equal chunks would
    # not be equal files.
    write_atomically(path, save(values, metadata={"chunk": f"{key} {_digest(values)}"}))


def _plain(tensor: Tensor) -> Tensor:
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.is_floating_point() else tensor).contiguous()


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """Over names, shapes and values."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"{name} {tensor.dtype} {list(tensor.shape)} ".encode())
        total.update(tensor.numpy().tobytes())
    return total.hexdigest()
