"""Adherence, Diorama-FD and identity, on rendered clips with a real judge of random weights.

An untrained judge names things wrongly, but always the same way, and tells pictures apart; so what it says is compared
with itself, and what a right judge says is given as logits.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engines.diorama.judge.model import Owners, Reading
from engines.diorama.judge.words import NOTHING
from engines.errors import InvalidRequest, NotAvailable
from engines.metrics.adherence import (
    adherence,
    chance,
    judge_clips,
    labels_of,
    load_judge,
    read_clip,
    read_clips,
    shuffled,
    stands_as_said,
)
from engines.metrics.frechet import diorama_fd, frechet_distance
from engines.metrics.identity import identity, identity_scale, mask_crop, picture_embedding
from tests.engines.metrics.worlds import rendered, untrained_judge

THREE = [("fox", "bounces", "beach"), ("apple", "spins", "snow"), ("robot", "falls", "night")]


def words(noun: str, motion: str, scene: str) -> dict[str, str]:
    return {"noun": noun, "motion": motion, "scene": scene}


WANTED = [words(*one) for one in THREE]


def test_adherence_is_per_clip_and_all_three_needs_all() -> None:
    seen = [words("fox", "bounces", "beach"), words("apple", "spins", "beach"), words("apple", "falls", "night")]
    right = adherence(seen, WANTED)
    assert {name: values.tolist() for name, values in right.items()} == {
        "noun": [1, 1, 0],
        "motion": [1, 1, 1],
        "scene": [1, 0, 1],
        "all_three": [1, 0, 0],
    }


def test_two_objects_may_change_places() -> None:
    wanted = {"noun": "fox", "second": "apple", "relation": "beside"}
    alone = {"noun": "fox", "second": NOTHING, "relation": NOTHING}
    seen = [wanted, {**wanted, "noun": "apple", "second": "fox"}, {**wanted, "second": "robot"}, alone]
    right = adherence(seen, [wanted] * 3 + [alone])
    np.testing.assert_array_equal(right["two_objects"], [1, 1, 0, np.nan])


def test_where_the_judge_sees_two_things_decides_how_they_stand() -> None:
    apart = torch.full((1, 3, 6, 6, 3), -9.0)
    apart[..., 0] = 0.0
    apart[:, :, :2, :2, 1] = 9.0  # the first at the upper left, the second at the upper right
    apart[:, :, :2, 4:, 2] = 9.0
    judge = untrained_judge()
    names = judge.words
    logits = {head: torch.zeros(1, len(words)) for head, words in names.items()}
    logits["noun"][0, names["noun"].index("fox")] = logits["second"][0, names["second"].index("apple")] = 9.0
    owners = Owners(apart.flatten(2, 3), torch.zeros(1, 144, 3))
    seen = labels_of(judge, Reading(logits, torch.zeros(1, 4), owners))[0]
    assert seen.places[0] == pytest.approx((1 / 6, 1 / 6), abs=0.05)
    assert stands_as_said(seen, "fox", "left of", "apple")
    assert stands_as_said(seen, "apple", "right of", "fox")
    assert not stands_as_said(seen, "apple", "left of", "fox")
    assert not stands_as_said(seen, "fox", "above", "apple")
    assert not stands_as_said(seen, "fox", "left of", "robot")
    assert not stands_as_said(seen, "fox", "in front of", "apple")


def test_clothes_need_pattern_and_both_colours_and_only_figures_wear_them() -> None:
    dots = {"pattern": "dots", "colour": "red", "second_colour": "white"}
    wanted = [{"noun": "figure", **dots}, {"noun": "figure", **dots}, {"noun": "fox"}]
    seen = [{"noun": "figure", **dots}, {"noun": "figure", **dots, "second_colour": "blue"}, {"noun": "fox", **dots}]
    right = adherence(seen, wanted)
    np.testing.assert_array_equal(right["clothes"], [1, 0, np.nan])
    np.testing.assert_array_equal(right["pattern"], [1, 1, np.nan])


def test_the_shuffled_control_gives_every_clip_anothers_prompt() -> None:
    control = shuffled(WANTED, seed=4)
    assert sorted(given["noun"] for given in control) == sorted(wanted["noun"] for wanted in WANTED)
    assert all(given != own for given, own in zip(control, WANTED, strict=True))
    assert adherence(WANTED, WANTED)["noun"].mean() == 1
    assert adherence(WANTED, control)["noun"].mean() == 0


def test_labels_are_the_most_probable_words() -> None:
    judge = untrained_judge()
    nouns, motions, scenes = (judge.words[head] for head in ("noun", "motion", "scene"))
    noun = torch.zeros(1, len(nouns))
    noun[0, 7] = 3.0
    motion = torch.zeros(1, len(motions))
    motion[0, 2] = 50.0
    nowhere = Owners(torch.zeros(1, 3, 36, 3), torch.zeros(1, 144, 3))
    logits = {"noun": noun, "motion": motion, "scene": torch.zeros(1, len(scenes))}
    reading = Reading(logits, torch.zeros(1, 4), nowhere)
    labels = labels_of(judge, reading)[0]
    assert (labels.noun, labels.motion) == (nouns[7], motions[2])
    assert labels.probability["noun"] == pytest.approx(np.exp(3) / (np.exp(3) + len(nouns) - 1))
    assert labels.probability["motion"] == pytest.approx(1)
    assert labels.probability["scene"] == pytest.approx(1 / len(scenes))
    with pytest.raises(InvalidRequest) as caught:
        labels_of(judge, Reading({"noun": noun * float("nan")}, torch.zeros(1, 4), nowhere))
    assert "not finite" in caught.value.message


def test_chance_is_a_blind_guess() -> None:
    judge = untrained_judge()
    blind = chance(judge)
    assert blind["noun"] == 1 / len(judge.words["noun"])
    assert blind["all_three"] == pytest.approx(blind["noun"] * blind["motion"] * blind["scene"])


def test_clips_are_read_in_their_order_whatever_the_batch() -> None:
    judge = untrained_judge()
    clips = [rendered(noun=noun).frames for noun in ("fox", "apple", "robot")] * 6  # more than one batch
    together = judge_clips(judge, iter(clips))
    assert together.features.shape[0] == 18
    alone = judge_clips(judge, clips[1:2])
    torch.testing.assert_close(together.features[16:17], alone.features)
    assert read_clips(judge, clips)[16].noun == read_clip(judge, clips[1]).noun


def test_larger_shorter_and_single_frames_are_read_too() -> None:
    judge, clip = untrained_judge(), rendered().frames
    doubled = clip.repeat(2, axis=1).repeat(2, axis=2)
    torch.testing.assert_close(judge_clips(judge, [doubled]).logits["noun"], judge_clips(judge, [clip]).logits["noun"])
    repeated = np.repeat(clip[:1], 9, axis=0)
    torch.testing.assert_close(
        judge_clips(judge, [clip[:1]]).logits["noun"], judge_clips(judge, [repeated]).logits["noun"]
    )


def test_a_saved_judge_is_loaded_and_reads_the_same(tmp_path: Path) -> None:
    judge, clip = untrained_judge(), rendered().frames
    judge.save_pretrained(tmp_path)
    loaded = load_judge(tmp_path)
    assert not loaded.training
    torch.testing.assert_close(judge_clips(loaded, [clip]).features, judge_clips(judge, [clip]).features)
    with pytest.raises(NotAvailable) as caught:
        load_judge(tmp_path / "nothing")
    assert "engines.diorama.judge.train" in caught.value.fix


def test_what_cannot_be_read_is_named() -> None:
    judge, clip = untrained_judge(), rendered().frames
    with pytest.raises(InvalidRequest) as caught:
        judge_clips(judge, [])
    assert caught.value.fix == "Give at least one clip."
    with pytest.raises(InvalidRequest) as caught:
        read_clip(judge, clip[:0])
    assert caught.value.fix == "Give a clip of at least 1 frame."
    with pytest.raises(InvalidRequest) as caught:
        adherence([], [])
    assert "at least one" in caught.value.fix
    with pytest.raises(InvalidRequest) as caught:
        shuffled(WANTED[:1])
    assert caught.value.fix == "Give at least two."


def by_square_roots(a: np.ndarray, b: np.ndarray) -> float:
    """The formula as it stands, with symmetric square roots of full covariances."""

    def root(matrix: np.ndarray) -> np.ndarray:
        values, vectors = np.linalg.eigh(matrix)
        return (vectors * np.sqrt(values.clip(0))) @ vectors.T

    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    shared = root(root(cov_a) @ cov_b @ root(cov_a))
    return float(np.square(a.mean(0) - b.mean(0)).sum() + np.trace(cov_a + cov_b - 2 * shared))


@pytest.mark.parametrize(("n", "m"), [(200, 150), (12, 9), (200, 9)])
def test_the_frechet_distance_is_the_formulas(n: int, m: int) -> None:
    random = np.random.default_rng(0)
    mix = random.normal(size=(20, 20))
    a, b = random.normal(size=(n, 20)) @ mix, random.normal(size=(m, 20)) + 0.5
    assert frechet_distance(a, b) == pytest.approx(by_square_roots(a, b), rel=1e-6)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))


def test_the_frechet_distance_of_known_gaussians() -> None:
    a = np.random.default_rng(0).normal(size=(50, 8))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-10)
    assert frechet_distance(a, a[::-1].copy()) == pytest.approx(0, abs=1e-10)
    assert frechet_distance(a, a + 2) == pytest.approx(8 * 4)
    spread = np.trace(np.cov(a, rowvar=False))
    assert frechet_distance(a, 3 * (a - a.mean(0)) + a.mean(0)) == pytest.approx((3 - 1) ** 2 * spread)


def test_diorama_fd_is_zero_for_the_same_clips_and_grows_with_damage() -> None:
    judge = untrained_judge()
    truths = [
        rendered(noun=noun, scene=scene).frames for noun in ("fox", "apple") for scene in ("beach", "snow", "night")
    ]
    random = np.random.default_rng(0)
    damaged = [
        [np.clip(clip + random.normal(0, sigma, clip.shape), 0, 255).astype(np.uint8) for clip in truths]
        for sigma in (10, 40)
    ]
    same = diorama_fd(judge, truths, truths)
    little, much = (diorama_fd(judge, clips, truths) for clips in damaged)
    assert same < 1e-9
    assert same < little < much


def test_features_that_have_no_distance_are_named() -> None:
    a = np.random.default_rng(0).normal(size=(5, 4))
    with pytest.raises(InvalidRequest) as caught:
        frechet_distance(a[:1], a)
    assert caught.value.fix == "Give features [N, F] of at least two clips."
    with pytest.raises(InvalidRequest) as caught:
        frechet_distance(a, a[:, :3])
    assert caught.value.fix == "Read both with the same judge."
    with pytest.raises(InvalidRequest) as caught:
        frechet_distance(a, a * float("nan"))
    assert caught.value.field == "b"


def crops(noun: str, scene: str, seed: int = 3, frames: tuple[int, ...] = (2, 8, 14)) -> np.ndarray:
    clip = rendered(noun=noun, motion="sways", scene=scene, seed=seed)
    return np.stack([mask_crop(clip.frames[t], clip.truth.mask[t]) for t in frames])


def test_a_mask_crop_shows_the_object_alone_and_centred() -> None:
    frame = np.zeros((60, 80, 3), np.uint8)
    frame[10:30, 40:50] = (200, 40, 10)
    mask = np.zeros((60, 80), bool)
    mask[10:30, 40:50] = True
    crop = mask_crop(frame, mask)
    thing = np.argwhere(crop[..., 0] > 180)
    assert crop.shape == (96, 96, 3)
    assert np.abs(crop[0, 0].astype(int) - 127).max() <= 1  # not the black of the scene
    np.testing.assert_allclose((thing.min(0) + thing.max(0)) / 2, 47.5, atol=1)
    height, width = np.ptp(thing, axis=0) + 1
    assert height == pytest.approx(96 / 1.25, abs=3)
    assert width == pytest.approx(height / 2, abs=3)


def test_identity_is_one_for_the_thing_itself_and_zero_for_strangers() -> None:
    judge = untrained_judge()
    reference = picture_embedding(judge, crops("fox", "grey wall"))[0]
    strangers = picture_embedding(judge, np.concatenate([crops(noun, "beach") for noun in ("apple", "robot", "whale")]))
    itself = picture_embedding(judge, crops("fox", "snow", seed=9))
    scale = identity_scale(reference, strangers, itself)
    assert identity(itself, reference, scale) == pytest.approx(1)
    assert identity(strangers, reference, scale) == pytest.approx(0)
    assert identity(picture_embedding(judge, crops("fox", "night", seed=21)), reference, scale) > 0.6
    assert identity(reference[None], reference, scale) >= 1


def test_identity_interpolates_the_cosine() -> None:
    reference = np.array([1.0, 0.0])
    stranger, itself = np.array([[0.6, 0.8]]), np.array([[1.0, 0.0]])
    scale = identity_scale(reference, stranger, itself)
    assert (scale.stranger, scale.itself) == (pytest.approx(0.6), pytest.approx(1))
    assert identity(np.array([[0.8, 0.6]]), reference, scale) == pytest.approx(0.5)
    assert identity(np.array([[0.0, 3.0]]), reference, scale) == pytest.approx(-1.5)


def test_what_has_no_identity_is_named() -> None:
    clip, flat = rendered(), np.array([1.0, 0.0])
    with pytest.raises(InvalidRequest) as caught:
        mask_crop(clip.frames[0], np.zeros((96, 96), np.float32))
    assert caught.value.fix == "Give a mask of the frame's size that holds the object."
    with pytest.raises(InvalidRequest) as caught:
        identity_scale(flat, flat[None], np.array([[0.6, 0.8]]))
    assert caught.value.fix.startswith("Use an embedding that tells them apart")
    with pytest.raises(InvalidRequest) as caught:
        picture_embedding(untrained_judge(), clip.frames[:, :64, :64])
    assert "Give uint8 [N, 96, 96, 3]." in caught.value.fix
    with pytest.raises(InvalidRequest) as caught:
        identity_scale(flat, np.zeros((1, 2)), flat[None])
    assert "may be blank" in caught.value.fix
