"""The Methods tab: every paper that the studio implements or will, with an honest status. The browser filters."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import gradio as gr

from studio.theme import STATIC

if TYPE_CHECKING:
    from studio.papers import Paper

SCRIPT = (STATIC / "papers.js").read_text(encoding="utf-8")


def papers_html(papers: Sequence[Paper]) -> str:
    """Search field, status menu and one card for each paper."""
    works = sum(paper.status == "works" for paper in papers)
    statuses = sorted({paper.status for paper in papers})
    options = "".join(f'<option value="{escape(status)}">{escape(status.capitalize())}</option>' for status in statuses)
    cards = "".join(_card(paper) for paper in papers)
    return (
        '<div class="papers"><header class="papers-head"><h2>Methods</h2>'
        f"<p>{len(papers)} papers stand behind the studio; {works} of them work in this version. “Works” means that "
        "there is a module, a benchmark and a stored result.</p>"
        '<div class="papers-filter"><label>Search <input class="papers-search" type="search" '
        'placeholder="attention, try-on, solver" autocomplete="off"></label>'
        f'<label>Status <select class="papers-status"><option value="">Every status</option>{options}</select></label>'
        f'<span class="papers-count" role="status" aria-live="polite">{len(papers)} shown</span></div></header>'
        f'<ul class="papers-list">{cards}</ul></div>'
    )


def _card(paper: Paper) -> str:
    evidence = [("Module", paper.module), ("Benchmark", paper.benchmark), ("Result", paper.result)]
    proofs = "".join(
        f"<div><dt>{name}</dt><dd><code>{escape(str(value))}</code></dd></div>" for name, value in evidence if value
    )
    details = f'<dl class="paper-proof">{proofs}</dl>' if proofs else ""
    return (
        f'<li class="paper" data-status="{escape(paper.status)}"><div class="paper-line">'
        f'<span class="paper-number">{paper.number:02d}</span>'
        f'<span class="paper-badge {escape(paper.status)}">{escape(paper.status)}</span>'
        f'<span class="paper-branch">{escape(paper.branch)} · {escape(paper.where)}</span></div>'
        f"<h3>{escape(paper.title)}</h3><p>{escape(paper.what)}</p>"
        f'<p class="paper-headline">Paper’s claim: {escape(paper.headline)}</p>{details}</li>'
    )


def papers_tab(papers: Sequence[Paper]) -> None:
    """Lays the tab out in the current block."""
    gr.HTML(papers_html(papers), js_on_load=SCRIPT, apply_default_css=False, elem_id="papers")
