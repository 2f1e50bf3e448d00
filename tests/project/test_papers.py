"""The papers table says what is true: all 65 rows, and no "works" without its evidence."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from studio.papers import Paper, load_papers

ROOT = Path(__file__).resolve().parents[2]


def module_exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def missing_evidence(paper: Paper) -> list[str]:
    """What a paper that claims to work does not have; empty if it all resolves."""
    assert paper.module is not None
    missing = [] if module_exists(paper.module) else [f"module {paper.module}"]
    if not module_exists(f"benchmarks.{paper.benchmark}"):
        missing.append(f"benchmark {paper.benchmark}")
    result = ROOT / "benchmarks" / "results" / str(paper.result)
    if not result.is_file():
        missing.append(f"result {paper.result}")
    else:
        run = json.loads(result.read_text(encoding="utf-8"))
        if run["benchmark"] != paper.benchmark or run["partial"]:
            missing.append(f"a full run of {paper.benchmark} in {paper.result}")
    return missing


def row(**changes: object) -> dict[str, object]:
    plain: dict[str, object] = dict.fromkeys(("id", "title", "branch", "where", "what", "headline"), "x")
    return {**plain, "number": 1, "status": "planned", **changes}


def test_all_65_papers_are_there_once() -> None:
    papers = load_papers()
    assert [paper.number for paper in papers] == list(range(1, 66))
    assert len({paper.id for paper in papers}) == 65


@pytest.mark.parametrize("field", ["id", "title", "branch", "where", "what", "headline"])
def test_every_paper_is_described(field: str) -> None:
    assert [paper.number for paper in load_papers() if not getattr(paper, field).strip()] == []


def test_no_paper_claims_to_work_without_evidence() -> None:
    claims = {paper.number: missing_evidence(paper) for paper in load_papers() if paper.status == "works"}
    assert {number: missing for number, missing in claims.items() if missing} == {}


def test_a_false_claim_is_found() -> None:
    claim = row(status="works", module="engines.nowhere.at_all", benchmark="nothing", result="nothing.json")
    assert missing_evidence(Paper.model_validate(claim)) == [
        "module engines.nowhere.at_all",
        "benchmark nothing",
        "result nothing.json",
    ]


def test_works_needs_module_benchmark_and_result() -> None:
    with pytest.raises(ValidationError, match="give module, benchmark and result"):
        Paper.model_validate(row(status="works", module="engines.sampling"))


def test_planned_has_no_evidence() -> None:
    with pytest.raises(ValidationError, match="is planned"):
        Paper.model_validate(row(module="engines.sampling"))
