"""A task's engine with its clips finished before they are written.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from engines.composition.finishing.finisher import Finisher
from engines.context import RunContext
from engines.footage.finishing import Finishing
from engines.task import Request, Result

R_contra = TypeVar("R_contra", bound=Request, contravariant=True)
R = TypeVar("R", bound=Request)


class ClipEngine(Protocol[R_contra]):
    """An engine that lets its clips be finished."""

    def check(self, request: R_contra) -> list[str]: ...
    def run(self, request: R_contra, context: RunContext, finishing: Finishing | None = None) -> Result: ...


class FinishedClips(Generic[R]):
    """Networks are kept between clips.

    Args:
        clips: The task's own engine.
        is_finished: Whether this request's clips are.
    """

    def __init__(self, clips: ClipEngine[R], is_finished: Callable[[R], bool]) -> None:
        self._clips, self._is_finished = clips, is_finished
        self._finisher = Finisher()

    def check(self, request: R) -> list[str]:
        """Warnings. Raises: UserError if the request cannot be rendered."""
        said = self._clips.check(request)
        if self._is_finished(request):
            self._finisher.check()
        return said

    def run(self, request: R, context: RunContext) -> Result:
        """See the task's own engine. Raises: UserError, Cancelled or Paused."""
        return self._clips.run(request, context, self._finisher if self._is_finished(request) else None)
