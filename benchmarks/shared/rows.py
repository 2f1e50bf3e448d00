"""Rows that outlive a kill: one line of JSON each, keyed by (code, weights, arm, clip)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Key = tuple[str, str, str, str]
KEY_FIELDS = ("code", "weights", "arm", "clip")


class RowStore:
    """An append-only file of rows. A half-written last line (of a killed run) is dropped and its row made again.

    Args:
        path: NAME.rows.jsonl; made with the first row. None keeps rows in memory only.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows: dict[Key, Row] = {}
        if path is not None and path.is_file():
            self._read(path)

    def get(self, key: Key) -> Row | None:
        return self._rows.get(key)

    def add(self, key: Key, row: Row) -> None:
        """Remembers a row; on return it is on the disk. Raises ValueError for NaN and infinity, which JSON has not."""
        line = json.dumps({**dict(zip(KEY_FIELDS, key, strict=True)), **row}, ensure_ascii=False, allow_nan=False)
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
                file.flush()
                os.fsync(file.fileno())
        self._rows[key] = row

    def _read(self, path: Path) -> None:
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(path, len(whole))  # or the next row would be written behind the torn one
        for line in whole.decode("utf-8").splitlines():
            data = json.loads(line)
            code, weights, arm, clip = (data.pop(name) for name in KEY_FIELDS)
            self._rows[code, weights, arm, clip] = data
