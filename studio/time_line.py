"""Time lines: scenes of a storyboard as blocks as long as they last, moments of a clip as marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

SIGNS = {"cut": "cut", "crossfade": "fade", "continue": "goes on"}
SIDES = (("first", "begins_with", "begins with"), ("last", "ends_with", "ends with"))
SHORTEST = 0.4  # seconds, of a block that still shows its number


def time_line(scenes: Sequence[Mapping[str, Any]]) -> str:
    """HTML; "" for no scenes."""
    if not scenes:
        return ""
    blocks, take = [], -1
    for number, scene in enumerate(scenes, 1):
        goes_on = number > 1 and scene["transition"] == "continue"
        take += not goes_on
        begins = "" if number == 1 else f'<span class="begins">{SIGNS[scene["transition"]]}</span>'
        title = f'<span class="title">{escape(scene["title"])}</span>' if scene.get("title") else ""
        pictures = "".join(
            f'<span class="picture {side}" title="{said} picture {scene[name]}">{scene[name]}</span>'
            for side, name, said in SIDES
            if scene.get(name)
        )
        blocks.append(
            f'<li class="scene take-{take % 2}" style="flex-grow: {max(SHORTEST, scene["seconds"]):g}" '
            f'title="{escape(scene["prompt"])}">{begins}<span class="number">{number}</span>'
            f'<span class="seconds">{scene["seconds"]:g} s</span>{title}{pictures}</li>'
        )
    return f'<ol class="time-line" aria-label="Scenes on a time line">{"".join(blocks)}</ol>'


def moments(seconds: Sequence[float], length: float) -> str:
    """HTML: marks on a line of so many seconds; those beyond it stand at its end, and say so."""
    marks = "".join(
        f'<li class="moment{" beyond" if at > length else ""}" style="left: {_place(at, length):.1f}%">'
        f"<span>{at:.2g} s</span></li>"
        for at in seconds
    )
    return f'<ol class="moments" aria-label="Pictures on a time line of {length:.2g} seconds">{marks}</ol>'


def _place(at: float, length: float) -> float:
    """In percent of the line."""
    return 100 * min(1.0, max(0.0, at / length)) if length > 0 else 0.0
