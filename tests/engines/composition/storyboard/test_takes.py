"""Scenes become takes: lengths, places in the film, what cannot be."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from engines.backend.catalogue import load_catalogue
from engines.composition.storyboard.request import StoryboardRequest
from engines.composition.storyboard.takes import FilmPlan, plan_takes
from engines.errors import InvalidRequest
from engines.task import parse_request


def scene(seconds: float, transition: str = "cut", prompt: str = "a fox bounces") -> dict[str, Any]:
    return {"prompt": prompt, "seconds": seconds, "transition": transition}


def planned(*scenes: dict[str, Any], **fields: Any) -> FilmPlan:
    request = parse_request(StoryboardRequest, {"scenes": scenes, **fields})
    return plan_takes(request, load_catalogue()["diorama"])


def test_scenes_that_go_on_are_one_take() -> None:
    plan = planned(scene(1), scene(2, "continue"), scene(0.5), scene(1, "continue"))
    assert [len(take.scenes) for take in plan.takes] == [2, 2]
    assert [take.frames for take in plan.takes] == [72, 36]
    assert [heard for _, heard in plan.takes[0].scenes] == [range(24), range(24, 72)]
    assert [take.begins for take in plan.takes] == [0, 72]
    assert plan.frames == 108
    assert plan.sentence() == "108 frames (4.5 seconds) in 2 takes, made in 6 parts."


def test_a_crossfade_takes_its_time_from_both() -> None:
    plan = planned(scene(1), scene(1, "crossfade"), scene(1, "cut"), crossfade_seconds=0.25)
    assert [(take.begins, take.fades_in) for take in plan.takes] == [(0, 0), (18, 6), (42, 0)]
    assert plan.frames == 66


def test_the_first_scene_begins_whatever_its_transition() -> None:
    assert planned(scene(1, "crossfade"), scene(1)).takes[0].fades_in == 0
    assert len(planned(scene(1, "continue"), scene(1)).takes) == 2


def test_slots_are_those_of_the_scenes_frames_and_all_belong_to_one() -> None:
    (take,) = planned(scene(1.25), scene(2, "continue"), scene(0.8, "continue")).takes
    slots = [take.slots(heard) for _, heard in take.scenes]
    assert slots[0].start == 0
    assert slots[-1].stop == take.chunks.film_slots
    assert all(before.stop == after.start for before, after in itertools.pairwise(slots))
    assert all(len(one) > 0 for one in slots)


def test_a_short_take_is_made_at_once() -> None:
    (take,) = planned(scene(0.7)).takes
    assert len(take.chunks.chunks) == 1
    assert take.chunks.padded_frames == 17
    (picture,) = planned(scene(0.03)).takes
    assert picture.frames == 1


@pytest.mark.parametrize("goes_on", ["shared keys", "blended"])
def test_side_by_side_only_where_a_take_has_several_scenes(goes_on: str) -> None:
    plan = planned(scene(2), scene(2, "continue"), scene(3), goes_on=goes_on)
    assert [take.chunks.order for take in plan.takes] == ["together", "forward"]


@pytest.mark.parametrize(
    ("scenes", "field", "said"),
    [
        ([], "scenes", "at least 1"),
        ([scene(0)], "scenes", "greater than 0"),
        ([scene(0.001)], "scenes", "less than a frame"),
        ([scene(1), scene(0.3, "crossfade")], "scenes", "crossfade into scene 2"),
        ([scene(100)] * 7, "scenes", "longer than 600"),
        ([{"prompt": "a fox"}], "scenes", "entry 1, seconds: field required"),
        ([scene(1, prompt="  ")], "scenes", "empty"),
        ([scene(1, "dissolve")], "scenes", "continue"),
    ],
)
def test_what_is_no_storyboard_is_refused(scenes: list[dict[str, Any]], field: str, said: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        planned(*scenes)
    assert refused.value.field == field
    assert said in str(refused.value)
