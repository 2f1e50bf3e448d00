"""How far a download has come, from what lies in the hub's cache: no progress bar of any library is asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".incomplete"


def cached_bytes(repository: Path) -> tuple[int, int]:
    """What a repository's folder in the cache holds: bytes of whole files, bytes of files that are still coming."""
    whole = coming = 0
    for path in (repository / "blobs").glob("*"):
        try:
            size = path.stat().st_size
        except FileNotFoundError:  # it was renamed a moment ago
            continue
        if path.name.endswith(UNFINISHED):
            coming += size
        else:
            whole += size
    return whole, coming


@contextmanager
def telling(repositories: Sequence[Path], tell: Callable[[int], None], seconds: float = 1.0) -> Iterator[None]:
    """Tells again and again, while the block runs, how many bytes of the missing files are there.

    What an earlier attempt left unfinished counts: the hub's library goes on from it.
    """
    at_first = sum(cached_bytes(repository)[0] for repository in repositories)
    done = threading.Event()

    def watch() -> None:
        while not done.wait(seconds):
            tell(sum(sum(cached_bytes(repository)) for repository in repositories) - at_first)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
