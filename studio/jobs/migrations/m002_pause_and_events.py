"""Priority, pause, restarts by itself, inputs, what a job needed, and a history of every job."""

from __future__ import annotations

_NOW = "(julianday('now') - 2440587.5) * 86400.0"

STATEMENTS: tuple[str, ...] = (
    "ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE jobs ADD COLUMN pause_requested REAL",  # when, seconds since 1970
    "ALTER TABLE jobs ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0",  # in a row, without a further finished chunk
    "ALTER TABLE jobs ADD COLUMN saved_step INTEGER NOT NULL DEFAULT 0",  # highest step at a chunk border
    "ALTER TABLE jobs ADD COLUMN inputs TEXT NOT NULL DEFAULT '{}'",  # JSON: see inputs.py
    "ALTER TABLE jobs ADD COLUMN peak_memory_bytes INTEGER",
    "ALTER TABLE jobs ADD COLUMN disk_bytes INTEGER",
    """
    CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        job_id TEXT NOT NULL,
        at REAL NOT NULL,                 -- seconds since 1970
        kind TEXT NOT NULL,
        detail TEXT NOT NULL DEFAULT ''
    )
    """,
    "CREATE INDEX events_by_job ON events (job_id, id)",
    # Triggers: no statement that changes a status can forget its event, and both happen or neither.
    f"""
    CREATE TRIGGER job_submitted AFTER INSERT ON jobs BEGIN
        INSERT INTO events (job_id, at, kind) VALUES (new.id, {_NOW}, 'submitted');
    END
    """,
    f"""
    CREATE TRIGGER job_status AFTER UPDATE OF status ON jobs WHEN new.status IS NOT old.status BEGIN
        INSERT INTO events (job_id, at, kind, detail) VALUES (
            new.id, {_NOW}, CASE new.status WHEN 'running' THEN 'started' ELSE new.status END, new.message);
    END
    """,
    """
    CREATE TRIGGER job_removed AFTER DELETE ON jobs BEGIN
        DELETE FROM events WHERE job_id = old.id;
    END
    """,
)
