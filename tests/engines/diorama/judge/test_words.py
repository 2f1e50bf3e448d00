"""What is true of a scene in the judge's words."""

from __future__ import annotations

import pytest

from engines.diorama.judge.words import ALIKE, NOTHING, PAIR_HEADS, garment_words, heads, indices, scene_words
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import KINDS, held_out_scenes
from engines.diorama.theatre.relations import regions
from engines.diorama.theatre.spec import Camera, Figure, Garment, Portrait, Region, SceneSpec, Thing


def two(relation: str, first: str = "fox", second: str = "apple") -> SceneSpec:
    places = regions(relation)  # type: ignore[arg-type]
    depths = (2.5, 5.0) if relation == "in front of" else (2.5, 2.5)
    things = [
        Thing(noun=noun, region=place, depth=depth, motion=motion)
        for noun, place, depth, motion in zip((first, second), places, depths, ("spins", "rises"), strict=True)
    ]
    return SceneSpec(scene="beach", actors=tuple(things))


@pytest.mark.parametrize(
    ("relation", "order", "named"),
    [
        ("left of", ("fox", "apple"), "beside"),
        ("right of", ("apple", "fox"), "beside"),
        ("above", ("fox", "apple"), "stacked"),
        ("below", ("apple", "fox"), "stacked"),
        ("in front of", ("fox", "apple"), "in front"),
    ],
)
def test_two_things_are_named_from_left_top_and_front(relation: str, order: tuple[str, str], named: str) -> None:
    words = scene_words(two(relation), decided=False)
    assert (words["noun"], words["second"], words["relation"]) == (*order, named)
    assert "motion" not in words, "how things move is asked of lone ones only"


@pytest.mark.parametrize(("second", "left_out"), [((0.8, 0.8), {"relation"}), ((0.8, 0.0), set(PAIR_HEADS))])
def test_what_stands_askew_is_not_asked_for(second: tuple[float, float], left_out: set[str]) -> None:
    """Lower right of the first: named after it all the same. Upper right: nobody can say which is first."""
    first = (0.0, 0.0) if second[1] else (0.0, 0.8)
    corners = [Region(left=left, top=top, width=0.2, height=0.2) for left, top in (first, second)]
    things = [Thing(noun=noun, region=corner) for noun, corner in zip(("fox", "apple"), corners, strict=True)]
    spec = SceneSpec(scene="beach", actors=tuple(things))
    asked, whole = scene_words(spec), scene_words(spec, decided=False)
    assert set(whole) - set(asked) == left_out
    assert whole["noun"] == "fox" or left_out == set(PAIR_HEADS)


def test_what_stands_in_front_and_hides_nothing_is_not_asked_for() -> None:
    """The front one is named first, but nobody can see that it is the front one."""
    rear = Region(left=0.1, top=0.1, width=0.8, height=0.8)
    seen = set()
    for seed in range(12):
        front = Region(left=0.2, top=0.25, width=0.6, height=0.6)
        things = (Thing(noun="fox", region=front, seed=seed, motion="stays still"),
                  Thing(noun="apple", region=rear, depth=5.0, seed=seed + 50, motion="stays still"))  # fmt: skip
        spec = SceneSpec(scene="beach", actors=things)
        whole = render_scene(spec).coverage[1].sum()
        alone = render_scene(spec.model_copy(update={"actors": things[1:]})).coverage[0].sum()
        asked = set(PAIR_HEADS) <= set(scene_words(spec))
        assert asked or whole > 0.85 * alone
        seen.add(asked)
    assert seen == {True, False}


def test_a_figure_has_no_motion_and_a_thing_no_clothes() -> None:
    figure = scene_words(SceneSpec(actors=(Figure(action="waves", garment=Garment(pattern="dots")),)))
    assert (figure["noun"], figure["action"], figure["pattern"], figure["second"]) == (
        "figure", "waves", "dots", NOTHING,
    )  # fmt: skip
    assert "motion" not in figure
    thing = scene_words(SceneSpec(actors=(Thing(noun="fox"),)))
    assert not {"pattern", "action"} & set(thing)
    assert scene_words(SceneSpec(actors=(Portrait(),)))["noun"] == "face"


@pytest.mark.parametrize("pattern", ALIKE)
def test_colours_that_may_change_places_have_one_order(pattern: str) -> None:
    one, other = (
        garment_words(Garment(pattern=pattern, colour=a, second=b))  # type: ignore[arg-type]
        for a, b in (("white", "red"), ("red", "white"))
    )
    assert one == other
    dots = [garment_words(Garment(pattern="dots", colour=a, second=b)) for a, b in (("white", "red"), ("red", "white"))]  # type: ignore[arg-type]
    assert dots[0] != dots[1]


def test_a_plain_garment_is_of_one_colour() -> None:
    words = garment_words(Garment(pattern="plain", colour="blue", second="white"))
    assert (words["colour"], words["second_colour"]) == ("blue", "blue")


def test_of_scenes_that_are_not_square_only_a_lone_thing_is_named() -> None:
    tall = {"height": 128, "width": 64}
    assert scene_words(two("above").model_copy(update=tall)) == {"scene": "beach"}
    assert scene_words(SceneSpec(actors=(Thing(noun="fox"),), **tall))["noun"] == "fox"


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_of_a_random_scene_has_its_number(kind: str) -> None:
    for spec in held_out_scenes(kind, 8, 3):
        words = scene_words(spec)
        numbers = indices(words)
        assert [head for head, number in zip(heads(), numbers, strict=True) if number >= 0] == [
            head for head in heads() if head in words
        ]


def test_motion_is_not_asked_for_while_the_camera_moves() -> None:
    spec = SceneSpec(actors=(Thing(noun="fox", motion="grows"),), camera=Camera(zoom=1.3))
    assert "motion" not in scene_words(spec)
    assert scene_words(spec, decided=False)["motion"] == "grows"


def test_a_scene_that_no_judge_was_shown_is_refused() -> None:
    with pytest.raises(ValueError, match="one thing, two things"):
        scene_words(SceneSpec(actors=(Thing(noun="fox"), Figure())))
