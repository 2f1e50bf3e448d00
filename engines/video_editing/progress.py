"""Steps of a sampling run as progress of the job; a job that was cancelled stops there."""

from __future__ import annotations

from collections.abc import Callable

from engines.context import RunContext
from engines.sampling.loop import Step


def reporting(context: RunContext, phase: str, message: str = "") -> Callable[[Step], None]:
    """For `on_step`. Raises Cancelled when it is called."""
    return lambda step: context.step(phase, step.interval + 1, step.total, message=message)
