"""The papers that the studio implements, read from presets/papers.yaml.

Knows the file and what a claim must bring with it. Must not know gradio or torch: the tests read this, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

PAPERS_FILE = Path(__file__).resolve().parent.parent / "presets" / "papers.yaml"


class Paper(BaseModel):
    """One row of the table.

    Attributes:
        number: 1 … 65, in the order of the list.
        id: Short name, unique.
        title: As published.
        branch: Field of work, in a word or two.
        where: The part of the studio that it belongs to.
        what: What of the paper is, or will be, here.
        headline: What the paper itself reports; not our measurement.
        status: "works" if the three fields below resolve, else "planned".
        module: The Python module that implements it.
        benchmark: `python -m benchmarks.NAME` measures it.
        result: File name in benchmarks/results that a full run wrote.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    id: str
    title: str
    branch: str
    where: str
    what: str
    headline: str
    status: Literal["works", "planned"]
    module: str | None = None
    benchmark: str | None = None
    result: str | None = None

    @model_validator(mode="after")
    def _works_means_evidence(self) -> Paper:
        evidence = (self.module, self.benchmark, self.result)
        if self.status == "works" and None in evidence:
            raise ValueError(f"paper {self.number} claims to work: give module, benchmark and result")
        if self.status == "planned" and evidence != (None, None, None):
            raise ValueError(f"paper {self.number} is planned: it has no module, benchmark or result yet")
        return self


def load_papers(path: Path = PAPERS_FILE) -> list[Paper]:
    """All rows, by number.

    Raises: pydantic.ValidationError, naming the row, if a row is not complete (a bug of ours, not of the person).
    """
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    return sorted((Paper.model_validate(row) for row in rows), key=lambda paper: paper.number)
