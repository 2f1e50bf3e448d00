"""What the files of a result were when they were written, so that a cut or changed one is noticed later."""

from __future__ import annotations

STATEMENTS: tuple[str, ...] = (
    # JSON: path in the job's folder → its "bytes" and "sha256"; empty for jobs of older versions.
    "ALTER TABLE jobs ADD COLUMN file_facts TEXT NOT NULL DEFAULT '{}'",
)
