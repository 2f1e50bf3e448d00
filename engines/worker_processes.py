"""Shares work among processes that each begin afresh: no torch threads or locks are inherited."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any


def even_parts(count: int, parts: int) -> list[range]:
    """0 … count − 1 in so many runs of about equal length."""
    edges = [round(index * count / parts) for index in range(parts + 1)]
    return [range(first, end) for first, end in pairwise(edges)]


def run_in_processes(work: Callable[..., None], shares: Iterable[tuple[Any, ...]], what: str) -> None:
    """Calls work(*share) in a process of its own for each share, and waits for all.

    Args:
        work: A function that another process can import.
        what: What is being done, for the message.

    Raises: RuntimeError if one of them fails.
    """
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=work, args=share) for share in shares]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    failed = [worker.exitcode for worker in workers if worker.exitcode]
    if failed:
        raise RuntimeError(f"{what} failed with exit code {failed[0]}")
