"""Imported by the worker process of the tests (`--import`)."""

from __future__ import annotations

from engines.task import TASKS

PACKAGE = "tests.studio.jobs.fake_task"
TASKS["fake"] = PACKAGE
