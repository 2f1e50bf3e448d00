"""Does the list of jobs agree with the disk? `python -m studio.reconcile [--home DIR] [--deep] [--repair]`

Without --repair nothing is changed, and a studio may be running. With it no studio may: its lock is taken. The lock
itself cannot be left behind, because the system takes it back from a process that ends; what a dead studio leaves is a
job that is marked as running.

Exit code: 0 if all is well or was mended, 1 if something is left to do, 2 if it could not be looked at.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from engines.errors import InvalidRequest, ResourceError, UserError
from studio.home import database_path, lock_path, usual_home
from studio.jobs.database import Database
from studio.jobs.inspection import Finding, Inspection
from studio.jobs.lock import StudioLock
from studio.jobs.migrations import migrate
from studio.jobs.queue import LOCAL
from studio.jobs.recovery import open_mended, trouble_of
from studio.jobs.repair import Repair


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m studio.reconcile",
        description="Compares the studio's list of jobs with what lies on the disk, and says what does not agree.",
    )
    parser.add_argument("--home", type=Path, help="the studio's folder; default: $FRAMEWRIGHT_HOME or ~/framewright")
    parser.add_argument("--deep", action="store_true", help="read every file and compare it with its digest")
    parser.add_argument("--repair", action="store_true", help="mend what can be mended; close the studio first")
    parser.add_argument(
        "--owner", default=LOCAL, help="whose a found render is if nothing says it (a login's name; default: local)"
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command. Returns the exit code."""
    options = parse_arguments(arguments)
    try:
        home = _existing(options.home or usual_home())
        if options.repair:
            return repair(home, options.owner, options.deep)
        return look(home, options.owner, options.deep)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2


def look(home: Path, owner: str, deep: bool) -> int:
    """Says what is wrong, changes nothing. Returns the exit code."""
    in_use = _is_in_use(home)
    if in_use:
        print("A studio is using this folder: what it is working on is left out.")
    trouble = trouble_of(home)
    if trouble is not None:
        print(f"{trouble} At its next start the studio fills it again from the folders of the jobs; so does --repair.")
        return 1
    with closing(_copy_of(database_path(home))) as copy:
        inspection = Inspection(home, copy, owner, deep, in_use)
        findings = list(inspection.findings())
    print(_heading(home, inspection.jobs, findings))
    for number, finding in enumerate(findings, 1):
        print(f"{number:3}. {finding.said}")
    if findings:
        print("Nothing was changed. To mend what can be mended, close the studio and add --repair.")
    return 1 if findings else 0


def repair(home: Path, owner: str, deep: bool) -> int:
    """Mends what is wrong. Returns the exit code. Raises: ResourceError if a studio uses the folder."""
    lock = StudioLock(lock_path(home))
    lock.acquire()
    try:
        if trouble_of(home) is None:
            database = Database(database_path(home))
        else:
            database, told = open_mended(home)
            print(told)
        with closing(database), closing(_copy_of(database_path(home))) as copy:
            inspection = Inspection(home, copy, owner, deep)
            findings = list(inspection.findings())
            print(_heading(home, inspection.jobs, findings))
            mender = Repair(database, home, owner)
            left = sum(not _mended(number, finding, mender) for number, finding in enumerate(findings, 1))
    finally:
        lock.release()
    if left:
        print(f"{left} of {len(findings)} could not be mended.")
    return 1 if left else 0


def _mended(number: int, finding: Finding, mender: Repair) -> bool:
    try:
        done = mender.mend(finding)
    except (UserError, OSError) as error:
        print(f"{number:3}. {finding.said} It could not be mended: {error}")
        return False
    print(f"{number:3}. {finding.said} {done or 'This cannot be mended here.'}")
    return done is not None


def _heading(home: Path, jobs: int, findings: Sequence[Finding]) -> str:
    looked = f"Looked at {jobs} {'job' if jobs == 1 else 'jobs'} in {home}."
    if not findings:
        return f"{looked} The list and the disk agree."
    return f"{looked} {len(findings)} {'thing does' if len(findings) == 1 else 'things do'} not agree:"


def _existing(home: Path) -> Path:
    """Raises InvalidRequest for a folder that is no studio's: none is made for a typing mistake."""
    home = home.expanduser().absolute()
    if not (home / "jobs").is_dir():
        raise InvalidRequest(f"{home} is no studio's folder.", "Name the right one with --home.", "home")
    return home


def _is_in_use(home: Path) -> bool:
    if not lock_path(home).exists():
        return False
    lock = StudioLock(lock_path(home))
    try:
        lock.acquire()
    except ResourceError:
        return True
    lock.release()
    return False


def _copy_of(library: Path) -> sqlite3.Connection:
    """The library at this moment, in memory and brought to the newest version; the file stays as it is."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    if library.exists():
        with closing(sqlite3.connect(f"{library.as_uri()}?mode=ro", uri=True)) as connection:
            connection.backup(copy)
    migrate(copy)
    return copy


if __name__ == "__main__":
    sys.exit(main())
