"""python -m engines.training.curation --videos FOLDER --out FOLDER: your own videos made ready for training.

Finds shots, measures clips of them, takes captions from files beside the videos (clip.txt, clip.json) and writes into
--out: manifest.jsonl (what is kept, by size and length), dropped.jsonl (the rest with the reasons) and report.md.
Originals are only read. Run it again after a stop, with other thresholds, or with more videos: what was measured is
kept.
Exit status: 0 done, 2 it could not be done as asked.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from engines.command_line import exit_status
from engines.errors import InvalidRequest
from engines.media.target import check_folder
from engines.training.curation.decide import Clip, decide
from engines.training.curation.manifest import report, write_results
from engines.training.curation.rules import EXAMPLE, read_rules
from engines.training.curation.survey import survey


def curate(videos: Path, out: Path, config: Path) -> list[Clip]:
    """Surveys a folder and writes what came out. Returns: all clips, kept or not.

    Raises: InvalidRequest for a wrong configuration or folder, or if nothing is left; ResourceError for --out.
    """
    rules = read_rules(config)
    if out.resolve() == videos.resolve():
        raise InvalidRequest("The results would lie among the videos.", "Choose another folder for the results.", "out")
    check_folder(out, "out")
    clips = decide(survey(videos, out, rules, print), videos, rules)
    write_results(clips, out, rules)
    if not any(clip.reason is None for clip in clips):
        reasons = [clip.reason for clip in clips]
        usual = max(set(reasons), key=reasons.count)
        raise InvalidRequest(
            f"None of {len(clips)} clips is left; most were dropped as “{usual}”.",
            f"Read {out / 'report.md'}, then change the thresholds in {config} or add videos.",
            "videos",
        )
    return clips


def main(given: Sequence[str] | None = None) -> int:
    """Returns: the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m engines.training.curation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--videos", type=Path, required=True, help="folder of videos; those in its folders count too")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--config", type=Path, default=Path(EXAMPLE), help="YAML file; default: %(default)s")
    arguments = parser.parse_args(given)
    return exit_status(lambda: print(report(curate(arguments.videos, arguments.out, arguments.config))))


if __name__ == "__main__":
    sys.exit(main())
