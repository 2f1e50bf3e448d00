"""Importing this module puts the repeating in the place of interpolation, in this process."""

from __future__ import annotations

from engines.task import TASKS

TASKS["interpolation"] = "tests.studio.repeating"
