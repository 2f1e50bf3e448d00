"""One copy of the library a day, made beside everything else."""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path

from studio.jobs.backups import is_due
from studio.jobs.database import Database

logger = logging.getLogger(__name__)

LOOK_SECONDS = 600.0


class DailyBackup:
    """Copies the library when its newest backup is older than a day, at the start and as long as the studio runs."""

    def __init__(self, database: Database, library: Path) -> None:
        self._database = database
        self._library = library
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="daily-backup", daemon=True)

    def start(self) -> None:
        self.look()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def look(self) -> None:
        """A backup if one is due. What prevents it is logged: jobs go on without."""
        try:
            if is_due(self._library):
                self._database.back_up(self._library)
        except (sqlite3.Error, OSError):
            logger.exception("The library could not be copied to its backups.")

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            self.look()
