"""A storyboard as lines of text: what a person types, and back. No torch here.

    3 s: a red fox bounces on a green field
    continue 2 s: a red fox spins on a green field
    crossfade 2.5 s from 1 to 2: a robot slides to the right in the snow | Later

A line is a scene: how it begins (nothing is a cut), how long it lasts, the numbers of the pictures that it begins and
ends with, what it shows, and behind a bar its title.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from engines.errors import InvalidRequest

_LINE = re.compile(
    r"^(?:(?P<transition>continue|cut|crossfade)\s+)?(?P<seconds>\d+(?:[.,]\d+)?)\s*(?:s|sec|seconds?)"
    r"(?:\s+from\s+(?P<begins>\d+))?(?:\s+to\s+(?P<ends>\d+))?\s*:\s*"
    r"(?P<prompt>[^|]*?)\s*(?:\|\s*(?P<title>.*?)\s*)?$",
    re.IGNORECASE,
)
HOW = "3 s: a fox bounces in the snow"


def parse_script(text: str) -> list[dict[str, Any]]:
    """The scenes as plain data; empty lines are left out.

    Raises: InvalidRequest (field scenes) that names the line.
    """
    scenes = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        found = _LINE.match(line.strip())
        if found is None:
            raise InvalidRequest(
                f"Line {number} has no duration: “{line.strip()[:60]}”.",
                f"Write how long it lasts before what it shows, like “{HOW}”; “continue” or “crossfade” may stand "
                "before it, “from 1” and “to 2” (numbers of pictures) before the colon.",
                "scenes",
            )
        if not found["prompt"]:
            raise InvalidRequest(
                f"Line {number} does not say what it shows.", f"Write it after the colon, like “{HOW}”.", "scenes"
            )
        scenes.append(
            {
                "prompt": found["prompt"],
                "seconds": float(found["seconds"].replace(",", ".")),
                "transition": (found["transition"] or "cut").lower(),
                "title": found["title"] or "",
                "begins_with": int(found["begins"] or 0),
                "ends_with": int(found["ends"] or 0),
            }
        )
    if not scenes:
        raise InvalidRequest("There is no scene yet.", f"Write one a line, like “{HOW}”.", "scenes")
    return scenes


def write_script(scenes: Iterable[Mapping[str, Any]]) -> str:
    """The inverse of `parse_script`."""
    lines = []
    for scene in scenes:
        transition = scene.get("transition", "cut")
        begins = "" if transition == "cut" else f"{transition} "
        title = f" | {scene['title']}" if scene.get("title") else ""
        first = f" from {scene['begins_with']}" if scene.get("begins_with") else ""
        last = f" to {scene['ends_with']}" if scene.get("ends_with") else ""
        lines.append(f"{begins}{scene['seconds']:g} s{first}{last}: {scene['prompt']}{title}")
    return "\n".join(lines)
