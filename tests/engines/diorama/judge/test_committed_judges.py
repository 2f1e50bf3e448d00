"""The judges that are shipped: two networks, each good on renders that it never saw, and hard to please."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from engines.diorama.judge import JUDGES_FOLDER
from engines.diorama.judge.examples import views_of
from engines.diorama.judge.measure import right_words
from engines.diorama.judge.model import ClipJudge
from engines.diorama.judge.view import as_input
from engines.diorama.judge.words import heads, scene_words
from engines.diorama.theatre.draw import render_scene, twin
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.diorama.theatre.spec import Actor, Figure, SceneSpec, Thing
from engines.metrics.adherence import load_judge

CLIPS = 12
# Share right on 1,200 held-out renders. The bar is 0.98 for each; what is below it (docs/LOG.md: of B motions, and two
# nouns at once; of A, which was taught less, what reads things and patterns) must at least not fall.
BAR = 0.98
HALF_WAY = {
    "a": {"noun": 0.95, "second": 0.96, "both_nouns": 0.79, "relation": 0.95, "motion": 0.95, "pattern": 0.95},
    "b": {"motion": 0.95, "both_nouns": 0.91},
}


@pytest.fixture(scope="module", params=["a", "b"])
def judge(request: pytest.FixtureRequest) -> ClipJudge:
    return load_judge(JUDGES_FOLDER / request.param)


@pytest.mark.parametrize("name", ["a", "b"])
def test_it_was_measured_when_it_was_trained(name: str) -> None:
    measured = json.loads((JUDGES_FOLDER / name / "measured.json").read_text(encoding="utf-8"))
    assert set(heads()) | {"both_nouns", "identity"} == set(measured["renders"])
    for head, share in measured["renders"].items():
        assert share >= HALF_WAY[name].get(head, BAR), head


def shares(judge: ClipJudge, shown: list[SceneSpec], said_of: list[SceneSpec]) -> dict[str, float]:
    """How often each head says of the clips that are shown what is true of the others; heads with something to see."""
    right = right_words(judge, [render_scene(spec).frames for spec in shown], [scene_words(spec) for spec in said_of])
    return {
        head: float(np.nanmean(right[:, index]))
        for index, head in enumerate(heads())
        if not np.isnan(right[:, index]).all()
    }


@pytest.mark.parametrize("kind", ["one thing", "figure", "portrait"])
def test_it_reads_held_out_renders(judge: ClipJudge, kind: str) -> None:
    scenes = held_out_scenes(kind, CLIPS, 11)
    right = shares(judge, scenes, scenes)
    assert min(right["noun"], right["scene"]) >= 0.9
    assert min(right.values()) >= 0.75


def two_apart(seed: int) -> list[SceneSpec]:
    """Held-out pairs that stand clearly beside or above each other."""
    scenes = held_out_scenes("two things", 2 * CLIPS, seed)
    return [spec for spec in scenes if scene_words(spec).get("relation") in ("beside", "stacked")]


def test_it_reads_held_out_pairs(judge: ClipJudge) -> None:
    scenes = two_apart(11)
    assert len(scenes) >= CLIPS
    assert min(shares(judge, scenes, scenes).values()) >= 0.75


def changed(spec: SceneSpec, actor: int, **parts: object) -> SceneSpec:
    actors: list[Actor] = list(spec.actors)
    actors[actor] = actors[actor].model_copy(update=parts)
    return spec.model_copy(update={"actors": tuple(actors)})


def things_swapped(spec: SceneSpec) -> SceneSpec:
    """The same two things, each where the other was."""
    first, second = spec.actors
    return changed(changed(spec, 0, region=second.region, depth=second.depth, largeness=second.largeness), 1,
                   region=first.region, depth=first.depth, largeness=first.largeness)  # fmt: skip


def other_thing(spec: SceneSpec) -> SceneSpec:
    """Another second thing."""
    nouns = {actor.noun for actor in spec.actors if isinstance(actor, Thing)}
    return changed(spec, 1, noun=next(noun for noun in ("apple", "fox", "robot") if noun not in nouns))


def other_action(spec: SceneSpec) -> SceneSpec:
    (figure,) = spec.actors
    assert isinstance(figure, Figure)
    return changed(spec, 0, action="jumps" if figure.action != "jumps" else "walks left")


def other_garment(spec: SceneSpec, **parts: object) -> SceneSpec:
    (figure,) = spec.actors
    assert isinstance(figure, Figure)
    return changed(spec, 0, garment=figure.garment.model_copy(update=parts))


def other_pattern(spec: SceneSpec) -> SceneSpec:
    (figure,) = spec.actors
    assert isinstance(figure, Figure)
    return other_garment(spec, pattern="dots" if figure.garment.pattern != "dots" else "stripes")


def with_two_colours(specs: list[SceneSpec]) -> list[SceneSpec]:
    figures = [spec.actors[0] for spec in specs]
    return [
        spec
        for spec, figure in zip(specs, figures, strict=True)
        if isinstance(figure, Figure) and figure.garment.pattern != "plain"
    ]


def test_another_second_thing_is_noticed(judge: ClipJudge) -> None:
    scenes = two_apart(12)
    before, after = shares(judge, scenes, scenes), shares(judge, [other_thing(spec) for spec in scenes], scenes)
    assert min(before["noun"], before["second"]) >= 0.75
    # The changed one is the second as a judge names them, or the first.
    assert after["noun"] + after["second"] <= 1.2
    assert after["scene"] >= 0.9


def test_two_things_that_changed_places_are_noticed(judge: ClipJudge) -> None:
    # Some stand askew once they have changed places, and which is named first is nobody's to say then.
    pairs = [(spec, things_swapped(spec)) for spec in two_apart(13)]
    decided = [(one, other) for one, other in pairs if scene_words(other).get("noun") == scene_words(one)["second"]]
    assert len(decided) >= 10
    scenes = [one for one, _ in decided]
    after = shares(judge, [other for _, other in decided], scenes)
    assert max(after["noun"], after["second"]) <= 0.2
    assert after["scene"] >= 0.9


def test_another_action_and_other_clothes_are_noticed(judge: ClipJudge) -> None:
    scenes = with_two_colours(held_out_scenes("figure", CLIPS, 14))
    acting = shares(judge, [other_action(spec) for spec in scenes], scenes)
    assert acting["action"] <= 0.1
    assert acting["pattern"] >= 0.9
    dressed = shares(judge, [other_pattern(spec) for spec in scenes], scenes)
    assert dressed["pattern"] <= 0.1
    assert dressed["action"] >= 0.9
    gone = [spec for spec in scenes if "green" not in words_of_colours(spec)]
    coloured = shares(judge, [other_garment(spec, colour="green") for spec in gone], gone)
    assert coloured["colour"] + coloured["second_colour"] <= 1.1
    assert coloured["pattern"] >= 0.8


def words_of_colours(spec: SceneSpec) -> set[str]:
    words = scene_words(spec)
    return {words["colour"], words["second_colour"]}


@torch.no_grad()
def test_a_recoloured_twin_and_another_sprite_are_strangers(judge: ClipJudge) -> None:
    random = np.random.default_rng(3)
    views = np.concatenate([views_of("flamingo", hue, random, None) for hue in (0.0, 120.0)])
    other = views_of("hippopotamus", 0.0, random, None)
    embedded = judge.embed(judge.maps(as_input(np.concatenate([views, other])))[1])
    same, recoloured, stranger = (float(embedded[0] @ embedded[index]) for index in (1, 2, 4))
    assert same > 0.8
    assert max(recoloured, stranger) < same - 0.3


def test_a_twin_differs_in_nothing_but_its_colours() -> None:
    scene = held_out_scenes("one thing", 2, 15)[0]
    assert scene_words(twin(scene, 0, 90.0)) == scene_words(scene)


def test_the_judges_are_not_copies_of_one_another() -> None:
    first, second = (load_judge(JUDGES_FOLDER / name) for name in ("a", "b"))
    assert first.config["widths"] != second.config["widths"]
    clips = as_input(np.random.default_rng(6).integers(0, 255, (2, 9, 96, 96, 3)).astype(np.uint8))
    with torch.no_grad():
        difference = (first(clips).logits["motion"] - second(clips).logits["motion"]).abs().mean()
    assert float(difference) > 0.1
