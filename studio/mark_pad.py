"""What one open page has drawn. Clicks come faster than answers go back: each goes on from the last one all the same.

A click brings the marks that its page showed. If these are a recent answer, the newest answer counts, which is on its
way; otherwise somebody wrote or reused other marks, and these count.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple

from engines.selection.marks import Mark
from studio.mark_clicks import Drawn, text_of

# So long a page may show an answer that another one has followed; of a busy machine.
LATE_SECONDS = 4.0


class Answer(NamedTuple):
    """What went to the page, and when."""

    text: str
    drawn: Drawn
    seconds: float


class Pad:
    """The last answers, in their order."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._answers: list[Answer] = []

    def __deepcopy__(self, memo: dict[int, Any]) -> Pad:
        """Gradio gives each page a copy of a State's first value: its own empty pad."""
        return Pad()

    def latest(self, text: str, draft: str) -> tuple[str, str]:
        """(text, draft) of the newest answer to a page that shows these."""
        with self._lock:
            found = self._found(text, draft)
            return (text, draft) if found is None else (found.text, found.drawn.draft)

    def goes_on(
        self, text: str, draft: str, read: Callable[[str], tuple[Mark, ...]], change: Callable[[Drawn], Drawn]
    ) -> tuple[str, str]:
        """Changes what a page shows, or is about to show. Returns (text, draft).

        Args:
            read: Makes marks from a text that is no answer of this pad; what it raises is passed on.
        """
        with self._lock:
            found = self._found(text, draft)
            if found is None:
                found = Answer(text, Drawn(read(text), draft), time.monotonic())
                self._answers = [found]
            made = change(found.drawn)
            self._answers.append(Answer(text_of(made.marks), made, time.monotonic()))
            return self._answers[-1].text, made.draft

    def forget(self) -> None:
        with self._lock:
            self._answers = []

    def _found(self, text: str, draft: str) -> Answer | None:
        """The newest answer, if the page shows one that was the newest a moment ago."""
        since = time.monotonic() - LATE_SECONDS
        late = [number for number, later in enumerate(self._answers[1:]) if later.seconds < since]
        self._answers = self._answers[late[-1] + 1 :] if late else self._answers
        shown = any((one.text, one.drawn.draft) == (text, draft) for one in self._answers)
        return self._answers[-1] if shown else None
