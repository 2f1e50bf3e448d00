"""The Methods tab names every paper with the status that it has."""

from __future__ import annotations

from studio.papers import Paper, load_papers
from studio.tabs.papers import papers_html


def test_all_rows_are_there_with_their_status() -> None:
    papers = load_papers()
    page = papers_html(papers)
    assert page.count('class="paper"') == len(papers) == 65
    for status in ("works", "planned"):
        cards = page.count(f'<li class="paper" data-status="{status}">')
        assert cards == sum(paper.status == status for paper in papers)


def test_a_working_paper_shows_its_evidence_and_titles_are_text() -> None:
    paper = Paper(
        number=1, id="x", title="A <i>title</i>", branch="b", where="w", what="t", headline="h",
        status="works", module="engines.x", benchmark="x", result="x.json",
    )  # fmt: skip
    page = papers_html([paper])
    assert "engines.x" in page
    assert "x.json" in page
    assert "A &lt;i&gt;title" in page
