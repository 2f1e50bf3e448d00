"""What went wrong, as data for the person. Knows the error tree and what running out of memory looks like."""

from __future__ import annotations

import errno
import signal
from pathlib import Path

from engines.errors import ResourceError, UserError

ErrorData = dict[str, str | None]

SMALLER = "Retry smaller: fewer frames, a smaller size or fewer versions at once."
KEPT = "Retry the job: its finished parts are kept."

# torch raises a plain RuntimeError where the operating system refuses memory, and on Apple's GPUs.
_RAM_WORDS = ("can't allocate memory", "not enough memory", "Cannot allocate memory")
_GPU_WORDS = ("CUDA out of memory", "HIP out of memory", "MPS backend out of memory")


def is_out_of_memory(error: BaseException) -> bool:
    return _memory_kind(error) is not None


def as_error_data(error: BaseException, log: Path) -> ErrorData:
    """code, field, message and fix for any exception of an engine.

    Args:
        log: The job's log file, named where the person should send it to us.
    """
    if isinstance(error, UserError):
        return error.as_data()
    memory = _memory_kind(error)
    if memory is not None:
        return ResourceError(f"The job needs more memory than there is: the {memory} ran out.", SMALLER).as_data()
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ResourceError("The disk is full.", "Free some space, then retry: finished parts are kept.").as_data()
    return {
        "code": "bug",
        "field": None,
        "message": f"Something went wrong in the studio itself ({type(error).__name__}); it is not your request.",
        "fix": f"Retry the job. If it happens again, report it with the file {log}.",
    }


def worker_died(exit_code: int) -> ErrorData:
    """For the job that was running when its worker process ended; seen as an error once that came too often.

    Args:
        exit_code: As subprocess gives it: the signal's number below zero if a signal ended it.
    """
    how, fix = f"exit code {exit_code}", KEPT
    if exit_code < 0:
        how = f"signal {-exit_code}, {signal.strsignal(-exit_code) or 'unknown'}"
    if exit_code == -9:
        # The kernel ends the largest process with signal 9 when RAM runs out and leaves no other trace.
        how += "; often a sign that the RAM ran out"
        fix = f"{KEPT} If it happens again: {SMALLER[0].lower()}{SMALLER[1:]}"
    return {"code": "interrupted", "field": None, "message": f"The worker process died ({how}).", "fix": fix}


def studio_died() -> ErrorData:
    message = "The studio ended while this job was running."
    return {"code": "interrupted", "field": None, "message": message, "fix": KEPT}


def studio_closed() -> ErrorData:
    message = "The studio was closed while this job was running."
    return {"code": "interrupted", "field": None, "message": message, "fix": KEPT}


def found_in_its_folder() -> ErrorData:
    message = "The studio's list of jobs was lost; this job was found in its folder."
    return {"code": "interrupted", "field": None, "message": message, "fix": KEPT}


def worker_does_not_start(reason: str, log: Path) -> ErrorData:
    return {
        "code": "interrupted",
        "field": None,
        "message": f"The worker process does not start ({reason}).",
        "fix": f"Look into {log} for the cause (often a broken installation: run make setup), then retry the job.",
    }


def _memory_kind(error: BaseException) -> str | None:
    text = str(error)
    name = type(error).__name__
    if isinstance(error, RuntimeError) and (name == "OutOfMemoryError" or any(word in text for word in _GPU_WORDS)):
        return "GPU's memory (VRAM)"
    if isinstance(error, MemoryError):
        return "computer's memory (RAM)"
    if isinstance(error, RuntimeError | OSError) and any(word in text for word in _RAM_WORDS):
        return "computer's memory (RAM)"
    return None
