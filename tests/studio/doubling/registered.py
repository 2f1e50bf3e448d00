"""Importing this module puts the doubling in the place of super-resolution, in this process."""

from __future__ import annotations

from engines.task import TASKS

TASKS["super_resolution"] = "tests.studio.doubling"
