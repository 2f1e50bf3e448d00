"""Lines of text and scenes are the same thing."""

from __future__ import annotations

import pytest

from engines.composition.storyboard.request import StoryboardRequest
from engines.composition.storyboard.script import parse_script, write_script
from engines.errors import InvalidRequest
from engines.task import parse_request

TEXT = """3 s: a red fox bounces on a green field
continue 2 s: a red fox spins on a green field
crossfade 2.5 s from 1 to 2: a robot slides to the right | Later
1 s to 1: a cat falls"""


def test_lines_become_scenes_and_scenes_lines() -> None:
    scenes = parse_script(TEXT)
    assert [scene["seconds"] for scene in scenes] == [3.0, 2.0, 2.5, 1.0]
    assert [scene["transition"] for scene in scenes] == ["cut", "continue", "crossfade", "cut"]
    assert scenes[2]["title"] == "Later"
    assert scenes[2]["prompt"] == "a robot slides to the right"
    assert [(scene["begins_with"], scene["ends_with"]) for scene in scenes] == [(0, 0), (0, 0), (1, 2), (0, 1)]
    assert write_script(scenes) == TEXT
    request = parse_request(StoryboardRequest, {"scenes": scenes})
    assert write_script(request.model_dump(mode="json")["scenes"]) == TEXT


@pytest.mark.parametrize(
    "line",
    ["1,5 seconds: a fox", "cut 1.5s : a fox", "  CUT 1.5 sec:a fox  ", "1.5 s: a fox |"],
)
def test_lines_may_be_written_as_people_write(line: str) -> None:
    (scene,) = parse_script(f"\n{line}\n\n")
    assert (scene["prompt"], scene["seconds"], scene["transition"], scene["title"]) == ("a fox", 1.5, "cut", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no scene yet"),
        ("  \n", "no scene yet"),
        ("3 s: a fox\na cat spins", "Line 2 has no duration: “a cat spins”"),
        ("s: a fox", "Line 1 has no duration"),
        ("-3 s: a fox", "Line 1 has no duration"),
        ("3 s:", "Line 1 does not say what it shows"),
        ("3 s to 2 from 1: a fox", "Line 1 has no duration"),
        ("dissolve 3 s: a fox", "Line 1 has no duration"),
    ],
)
def test_what_is_no_scene_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as refused:
        parse_script(text)
    assert refused.value.field == "scenes"
