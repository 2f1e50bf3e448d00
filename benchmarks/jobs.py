"""Does the queue lose work? Real interpolation jobs through the running studio, whose processes are killed on the way.

200 jobs of 6 to 9 chunks, submitted through the API with idempotency keys while others render. The worker is killed
10 times, the web process 3 times, with SIGKILL: 2 of these while a result is being encoded, 2 inside a write to the
database (the process is stopped there first and looked at), one while a client is submitting, the others at random
points. Nothing is repaired by hand.

Summary: lost (jobs without exactly the frames of an undisturbed run), duplicated (jobs or results that are there
twice), work_redone (frames rendered again / frames that the killed jobs had finished when killed; 1 without chunks),
leak_mb_over_20_jobs (resident memory of one worker), estimate_error_median (of what the page promised for undisturbed
jobs once 10 were done).
The machine must be quiet: other work makes times, and so estimates, wander.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.queueing.campaign import Campaign, Plan
from benchmarks.queueing.figures import figures, kill_rows
from benchmarks.shared.report import Report, parse_options

NAME = "jobs"
WEIGHTS = ("assets/models/rife",)
CODE = (
    "engines/interpolation",
    "engines/footage",
    "engines/media",
    "studio",
    "benchmarks/queueing",
    "benchmarks/jobs.py",
)
FULL = Plan(200, 30, ("encoding",) * 2 + ("database",) * 2 + ("random",) * 6 + ("web",) * 2 + ("web, submitting",))
QUICK = Plan(14, 10, ("encoding", "random", "web"))


def measured(plan: Plan) -> Mapping[str, Any]:
    with tempfile.TemporaryDirectory(prefix="framewright_jobs_") as folder:
        campaign = Campaign(plan, Path(folder))
        campaign.run()
        return {**figures(campaign), "kills": kill_rows(campaign)}


def main() -> None:
    options = parse_options(NAME, __doc__)
    report = Report(NAME, options, CODE, WEIGHTS)
    plan = QUICK if report.quick else FULL
    row = report.row("framewright", f"{plan.jobs} jobs, {len(plan.kills)} kills", lambda: measured(plan))
    for key, value in row.items():
        if isinstance(value, float) and key != "row_seconds":
            report.number(key, value)
    report.finish()


if __name__ == "__main__":
    main()
