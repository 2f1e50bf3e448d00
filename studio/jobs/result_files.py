"""A result as the library stores it: paths relative to the job's folder, and what each file was when it was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engines.task import Result
from studio.jobs.inputs import sha256_of

FileFacts = dict[str, Any]


def stored_result(result: Result, folder: Path) -> tuple[str, str]:
    """(the result, relative path → facts of each of its files), both as JSON. Reads every file once.

    Raises: ValueError if a file lies outside the job's folder, FileNotFoundError if one is missing.
    """
    # Relative paths: the studio's folder may be moved.
    files = [file.model_copy(update={"path": file.path.relative_to(folder)}) for file in result.files]
    facts = {file.path.as_posix(): facts_of_file(folder / file.path) for file in files}
    return result.model_copy(update={"files": files}).model_dump_json(), json.dumps(facts)


def facts_of_file(path: Path) -> FileFacts:
    """Its size in bytes and its SHA-256."""
    return {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
