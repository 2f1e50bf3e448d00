"""What has to be done now and then as long as a studio runs, beside everything else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

logger = logging.getLogger(__name__)

LOOK_SECONDS = 600.0


class Housekeeping:
    """Does its chores at the start and every LOOK_SECONDS.

    Args:
        chores: Each looks itself whether there is something to do. What prevents it is logged: jobs go on without.
    """

    def __init__(self, chores: Sequence[Callable[[], object]]) -> None:
        self._chores = chores
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="housekeeping", daemon=True)

    def start(self) -> None:
        self.look()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def look(self) -> None:
        for chore in self._chores:
            try:
                chore()
            except Exception:
                # The next chore, and the next time, must come all the same.
                logger.exception("A chore of the studio could not be done.")

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            self.look()
