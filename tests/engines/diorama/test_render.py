"""Clips and the truth about them. Shape legend: T frames, H height, W width."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from engines.diorama.clip_spec import ClipSpec
from engines.diorama.render import DioramaClip, render
from engines.diorama.sprites import LEVEL_SIZES, load_sprite
from engines.diorama.vocabulary import vocabulary, world


def sampled_specs() -> list[ClipSpec]:
    """Every motion in every other scene, the nouns in turn, so that each of the three words is there at least once."""
    words = vocabulary()
    pairs = [(m, s) for at, m in enumerate(words["motions"]) for s in words["scenes"][at % 2 :: 2]]
    specs = []
    for index, (motion, scene) in enumerate(pairs):
        noun = words["nouns"][(index + 3) % len(words["nouns"])]
        if motion == "spins" and not world().nouns[noun].turns:
            noun = "fox"
        specs.append(ClipSpec(noun, motion, scene, seed=index))
    return specs


@pytest.fixture(scope="module")
def clips() -> list[DioramaClip]:
    return [render(spec) for spec in sampled_specs()]


def of_motion(clips: list[DioramaClip], motion: str) -> list[DioramaClip]:
    return [clip for clip in clips if clip.spec.motion == motion]


def test_every_word_renders(clips: list[DioramaClip]) -> None:
    assert {clip.spec.noun for clip in clips} == set(vocabulary()["nouns"])
    assert {clip.spec.scene for clip in clips} == set(vocabulary()["scenes"])
    for clip in clips:
        assert clip.frames.shape == (17, 96, 96, 3)
        assert clip.frames.dtype == np.uint8
        assert clip.truth.mask.shape == (17, 96, 96)
        assert clip.truth.flow.shape == (16, 96, 96, 2)
        assert clip.truth.empty_scene.shape == (96, 96, 3)
        changed = np.abs(clip.frames.astype(int) - clip.truth.empty_scene).max(-1) > 12
        object_seen = (changed & (clip.truth.mask > 0.9)).sum((1, 2)) / (clip.truth.mask > 0.9).sum((1, 2))
        assert object_seen.min() > 0.3, clip.spec


def test_outside_object_and_shadow_is_the_empty_scene(clips: list[DioramaClip]) -> None:
    for clip in clips[::7]:
        size = clip.truth.track.size.max()
        near = cv2.dilate(clip.truth.mask.max(0), np.ones((2 * int(0.3 * size) + 1,) * 2)) > 0
        assert np.array_equal(
            clip.frames[:, ~near], np.broadcast_to(clip.truth.empty_scene[~near], clip.frames[:, ~near].shape)
        )


def test_the_same_spec_gives_the_same_bytes(clips: list[DioramaClip]) -> None:
    for clip in clips[::23]:
        again = render(dataclasses.replace(clip.spec))
        assert again.frames.tobytes() == clip.frames.tobytes()
        assert again.truth.mask.tobytes() == clip.truth.mask.tobytes()
        assert again.truth.flow.tobytes() == clip.truth.flow.tobytes()


def test_another_seed_gives_another_clip_and_flow_is_optional() -> None:
    spec = ClipSpec("fox", "bounces", "beach", 1)
    plain = render(spec, with_flow=False)
    assert plain.truth.flow.shape == (0, 96, 96, 2)
    assert np.array_equal(plain.frames, render(spec).frames)
    other = render(dataclasses.replace(spec, seed=2), with_flow=False)
    assert not np.array_equal(plain.truth.empty_scene, other.truth.empty_scene)
    assert not np.array_equal(plain.truth.track.y, other.truth.track.y)


def drawn_area(clip: DioramaClip) -> npt.NDArray[np.float64]:
    """Pixels that the whole object would cover in each frame, [T]: the sprite's share of its square, scaled."""
    sprite = load_sprite(clip.spec.noun)
    share = np.array([sprite.level_for(size)[..., 3].mean() for size in clip.truth.track.size])
    return share * clip.truth.track.size**2


def test_objects_stay_in_the_frame(clips: list[DioramaClip]) -> None:
    """At most a corner is ever cut off, when a square turns; the centre is well inside."""
    for clip in clips:
        seen = clip.truth.mask.sum((1, 2)) / drawn_area(clip)
        assert seen.min() > (0.9 if clip.spec.motion == "spins" else 0.97), clip.spec
        assert seen.max() < 1.02, clip.spec
        track = clip.truth.track
        assert min(track.x.min(), track.y.min(), 95 - track.x.max(), 95 - track.y.max()) > 12, clip.spec


@pytest.mark.parametrize(("height", "width"), [(64, 128), (128, 64)])
def test_objects_stay_in_wide_and_tall_frames(height: int, width: int) -> None:
    for index, motion in enumerate(vocabulary()["motions"]):
        clip = render(ClipSpec("carrot", motion, "room", index, height=height, width=width), with_flow=False)
        assert clip.frames.shape == (17, height, width, 3)
        seen = clip.truth.mask.sum((1, 2)) / drawn_area(clip)
        assert seen.min() > 0.9, motion


def centroids(mask: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """x and y [T] of the mask's centre of mass."""
    y, x = np.mgrid[0 : mask.shape[1], 0 : mask.shape[2]]
    weight = mask.sum((1, 2))
    return (mask * x).sum((1, 2)) / weight, (mask * y).sum((1, 2)) / weight


def test_the_mask_follows_position_size_and_rotation(clips: list[DioramaClip]) -> None:
    """Seen from the object (moved back, turned back, scaled back), its centre of mass stands still."""
    for clip in clips:
        track = clip.truth.track
        x, y = centroids(clip.truth.mask)
        angle = np.deg2rad(track.rotation)
        own_x = (np.cos(angle) * (x - track.x) + np.sin(angle) * (y - track.y)) / track.size
        own_y = (-np.sin(angle) * (x - track.x) + np.cos(angle) * (y - track.y)) / track.size
        limit = 0.05 if clip.spec.motion == "spins" else 0.02  # a turning corner may leave the frame
        assert np.ptp(own_x) < limit, clip.spec
        assert np.ptp(own_y) < limit, clip.spec


def test_rotation_is_clockwise_as_seen() -> None:
    """A mask turned back by cv2 (counter-clockwise) by the rotation's difference is the first mask again."""
    clip = render(ClipSpec("guitar", "spins", "room", 5))
    track, mask = clip.truth.track, clip.truth.mask
    for t in (1, 4, 9):
        turn = float(track.rotation[t] - track.rotation[0])
        back = cv2.getRotationMatrix2D((float(track.x[0]), float(track.y[0])), turn, 1.0)
        agreement = overlap(cv2.warpAffine(mask[t], back, (96, 96)), mask[0])
        wrong = cv2.getRotationMatrix2D((float(track.x[0]), float(track.y[0])), -turn, 1.0)
        assert agreement > 0.9
        assert agreement > overlap(cv2.warpAffine(mask[t], wrong, (96, 96)), mask[0]) + 0.1


def overlap(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> float:
    """Soft intersection over union."""
    return float(np.minimum(first, second).sum() / np.maximum(first, second).sum())


def test_flow_carries_each_frame_onto_the_next(clips: list[DioramaClip]) -> None:
    """Frame t + 1, read where the flow of frame t points, is frame t inside the object."""
    y, x = np.mgrid[0:96, 0:96].astype(np.float32)
    typical = {}
    for clip in clips:
        quality, unmoved = [], []
        for t, flow in enumerate(clip.truth.flow):
            inside = cv2.erode((clip.truth.mask[t] > 0.99).astype(np.uint8), np.ones((3, 3))) > 0
            here, there = clip.frames[t].astype(np.float32), clip.frames[t + 1].astype(np.float32)
            carried = cv2.remap(
                there, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            quality.append(psnr(carried[inside], here[inside]))
            unmoved.append(psnr(there[inside], here[inside]))
        # Where the size passes from one pyramid level to the next, the sprite's sharpness changes.
        assert min(quality) > 23, clip.spec
        assert np.median(quality) >= np.median(unmoved)
        typical.setdefault(clip.spec.motion, []).append(np.median(quality))
    assert min(np.median(values) for values in typical.values()) > 34, typical


def psnr(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> float:
    error = float(((first - second) ** 2).mean())
    return 10 * np.log10(255**2 / max(error, 1e-6))


def test_flow_is_zero_off_the_object(clips: list[DioramaClip]) -> None:
    for clip in clips[::5]:
        assert not clip.truth.flow[clip.truth.mask[:-1] <= 0.5].any()


def test_sideways_and_upright_motions_go_where_they_say(clips: list[DioramaClip]) -> None:
    for motion, axis, sign in (
        ("slides left", "x", -1),
        ("slides right", "x", 1),
        ("rises", "y", -1),
        ("falls", "y", 1),
    ):
        for clip in of_motion(clips, motion):
            path = centroids(clip.truth.mask)[0 if axis == "x" else 1]
            assert (sign * np.diff(path) > 0).all(), clip.spec
            assert sign * (path[-1] - path[0]) > 0.25 * 96
            other = clip.truth.track.y if axis == "x" else clip.truth.track.x
            assert np.ptp(other) == 0


def test_growing_and_shrinking_change_the_visible_area(clips: list[DioramaClip]) -> None:
    for motion, sign in (("grows", 1), ("shrinks", -1)):
        for clip in of_motion(clips, motion):
            area = clip.truth.mask.sum((1, 2))
            assert (sign * np.diff(area) > 0).all(), clip.spec
            assert max(area[0], area[-1]) / min(area[0], area[-1]) > 2.2


def test_bouncing_goes_up_and_down_and_stays_in_its_column(clips: list[DioramaClip]) -> None:
    for clip in of_motion(clips, "bounces"):
        track = clip.truth.track
        assert np.ptp(track.x) == 0
        assert np.ptp(track.y) > 0.15 * 96
        turns = np.flatnonzero(np.diff(np.sign(np.diff(track.y))))
        assert len(turns) >= 2, clip.spec


def test_spinning_and_swaying_turn_on_the_spot(clips: list[DioramaClip]) -> None:
    for motion in ("spins", "sways"):
        for clip in of_motion(clips, motion):
            track = clip.truth.track
            assert np.ptp(track.x) == np.ptp(track.y) == np.ptp(track.size) == 0
            steps = np.diff(track.rotation)
            if motion == "spins":
                assert len(set(np.sign(steps))) == 1
                assert np.ptp(track.rotation) >= 160
            else:
                assert len(set(np.sign(steps))) == 2
                assert np.abs(track.rotation).max() <= 26


def test_circling_keeps_its_distance_from_one_point(clips: list[DioramaClip]) -> None:
    for clip in of_motion(clips, "circles"):
        x, y = clip.truth.track.x, clip.truth.track.y
        # Circle through the points: x² + y² = 2·a·x + 2·b·y + c, solved for the centre (a, b).
        equations = np.stack([2 * x, 2 * y, np.ones_like(x)], axis=1)
        a, b, _ = np.linalg.lstsq(equations, x**2 + y**2, rcond=None)[0]
        radius = np.hypot(x - a, y - b)
        assert np.ptp(radius) < 1e-6
        assert 0.12 * 96 < radius.mean() < 0.2 * 96


def test_what_stays_still_is_one_picture(clips: list[DioramaClip]) -> None:
    for clip in of_motion(clips, "stays still"):
        assert (clip.frames == clip.frames[0]).all()
        assert not clip.truth.flow.any()


def test_a_picture_is_an_instant_of_the_motion() -> None:
    """Single frames show falling things at all heights, not only where the fall begins."""
    heights = [
        float(render(ClipSpec("apple", "falls", "snow", seed, frames=1), with_flow=False).truth.track.y[0])
        for seed in range(60)
    ]
    assert min(heights) < 35
    assert max(heights) > 60
    clip = render(ClipSpec("apple", "falls", "snow", 3, frames=1))
    assert clip.frames.shape == (1, 96, 96, 3)
    assert clip.truth.flow.shape == (0, 96, 96, 2)


def test_sprites_are_premultiplied_squares_with_a_clear_border() -> None:
    for noun in vocabulary()["nouns"]:
        sprite = load_sprite(noun)
        assert [level.shape for level in sprite.levels] == [(side, side, 4) for side in LEVEL_SIZES]
        for level in sprite.levels:
            assert (level[..., :3] <= level[..., 3:] + 1e-4).all()
            assert not level[[0, -1]].any()
            assert not level[:, [0, -1]].any()
            extent = np.argwhere(level[..., 3] > 0.1)
            assert np.ptp(extent, axis=0).max() >= level.shape[0] - 6  # the longer side fills the square


def test_unknown_words_cannot_be_rendered() -> None:
    with pytest.raises(KeyError):
        render(ClipSpec("fox", "teleports", "beach", 0))
    with pytest.raises(KeyError):
        render(ClipSpec("fox", "bounces", "moon", 0))
