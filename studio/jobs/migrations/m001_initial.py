"""Jobs and form values. Never edit a released migration: add the next one."""

from __future__ import annotations

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE jobs (
        id TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        task TEXT NOT NULL,
        fields TEXT NOT NULL,             -- JSON: the request
        idempotency_key TEXT,
        status TEXT NOT NULL,
        place INTEGER NOT NULL,           -- order in the queue; a retry gets a new one
        attempt INTEGER NOT NULL DEFAULT 1,
        worker TEXT,                      -- who runs or ran it: writes of any other worker are refused
        cancel_requested REAL,            -- when, seconds since 1970
        created REAL NOT NULL,
        started REAL,
        finished REAL,
        trashed REAL,
        phase TEXT NOT NULL DEFAULT '',
        step INTEGER NOT NULL DEFAULT 0,
        total INTEGER NOT NULL DEFAULT 0,
        message TEXT NOT NULL DEFAULT '',
        seconds_left REAL,                -- as known at `reported`
        reported REAL,                    -- the worker's last sign of life for this job
        preview_version INTEGER NOT NULL DEFAULT 0,
        phase_seconds TEXT,               -- JSON: what each phase took, of complete first runs only
        result TEXT,                      -- JSON, paths relative to the job's folder
        error TEXT,                       -- JSON
        warnings TEXT NOT NULL DEFAULT '[]'
    )
    """,
    "CREATE UNIQUE INDEX jobs_by_key ON jobs (owner, idempotency_key) WHERE idempotency_key IS NOT NULL",
    "CREATE INDEX jobs_by_owner ON jobs (owner, task, created)",
    "CREATE INDEX jobs_by_place ON jobs (status, place)",
    """
    CREATE TABLE forms (
        owner TEXT NOT NULL,
        task TEXT NOT NULL,
        fields TEXT NOT NULL,             -- JSON: form values as they were last
        saved REAL NOT NULL,
        PRIMARY KEY (owner, task)
    )
    """,
)
