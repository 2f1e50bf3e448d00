"""What a number depends on: the revision of the project, the code that was used, the weights, the machine."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import torch

from engines.backend.fingerprint import fingerprint
from engines.backend.model_files import ADAPTERS

PROJECT_ROOT = Path(__file__).resolve().parents[2]
_CODE = (".py", ".yaml")
_WEIGHTS = (".safetensors", ".json", ".tflite")
_LOGGED = ("measured.json",)


def revision() -> str:
    """The commit, with "+changes" behind it if tracked files differ from it; "unknown" outside a git checkout."""
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return "unknown"
    return commit + ("+changes" if _git("status", "--porcelain", "--untracked-files=no") else "")


def code_revision(code: Iterable[str | Path]) -> str:
    """A hash over the contents of the code that a benchmark uses, 16 hex digits; a commit elsewhere does not change it.

    Args:
        code: Files, or folders whose .py and .yaml files count, relative to the project's folder.

    Raises: FileNotFoundError if one is missing.
    """
    return _digest(file for path in code for file in _files(PROJECT_ROOT / path) if file.suffix in _CODE)


def weights_hash(weights: Iterable[str | Path]) -> str:
    """A hash over the contents of weight files, or of weights and configurations in folders, 16 hex digits.

    A folder's card and logs do not count: numbers are written into them after they were measured. Nor do its adapters,
    which leave the model as it is: who uses one names its folder.

    Raises: FileNotFoundError if one is missing.
    """
    return _digest(
        file
        for path in weights
        for file in _files(PROJECT_ROOT / path)
        if ADAPTERS not in file.relative_to(PROJECT_ROOT / path).parts
        if (file.suffix in _WEIGHTS and file.name not in _LOGGED) or (PROJECT_ROOT / path).is_file()
    )


def machine() -> dict[str, str]:
    """The machine and the versions that ran, as in a golden file's fingerprint, with cores and memory."""
    found = fingerprint(torch.float32, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    del found["dtype"]  # a run uses several
    return {
        **found,
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory_gb": f"{psutil.virtual_memory().total / 1e9:.0f}",
    }


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    elif path.is_file():
        yield path
    else:
        raise FileNotFoundError(f"{path} does not exist, so its contents cannot key a benchmark's rows.")


def _digest(files: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        name = file.relative_to(PROJECT_ROOT) if file.is_relative_to(PROJECT_ROOT) else file.name
        whole.update(f"{name} {content}\n".encode())
    return whole.hexdigest()[:16]
