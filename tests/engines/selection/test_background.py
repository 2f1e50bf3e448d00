"""What other frames show of a background is put where a thing hid it; what no frame shows is said."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.spec import Camera, SceneSpec, Thing
from engines.footage.footage import ClipFootage
from engines.media.clip import Clip
from engines.metrics.psnr import pixel_psnr
from engines.selection.background import BackgroundBehind, Behind, camera_motion
from tests.engines.known_mattes import KnownMattes

Floats = npt.NDArray[np.float32]


def behind(frames: npt.NDArray[np.uint8], mattes: Floats, wanted: range | None = None) -> list[Behind]:
    source = ClipFootage(Clip(frames, Fraction(24)))
    return list(BackgroundBehind(source, KnownMattes(mattes)).frames(range(len(frames)) if wanted is None else wanted))


def scene(motion: str, camera: Camera | None = None) -> SceneSpec:
    thing = Thing(noun="fox", motion=motion, seed=4)
    return SceneSpec(scene="mountains", actors=(thing,), camera=camera or Camera(), sound=False, frames=17, seed=5)


@pytest.mark.parametrize("camera", [Camera(), Camera(pan=(0.1, 0.0)), Camera(roll=12), Camera(zoom=1.25)])
def test_the_background_of_a_thing_that_moves_is_found_under_a_moving_camera(camera: Camera) -> None:
    spec = scene("slides left", camera)
    clip, empty = render_scene(spec), render_scene(spec.model_copy(update={"actors": ()})).frames
    found = behind(clip.frames, clip.coverage[0])
    made = np.stack([np.rint(one.frame * 255).astype(np.uint8) for one in found])
    hole, covered = (np.stack([getattr(one, name) for one in found]) for name in ("hole", "covered"))
    assert hole.sum() < 0.5 * covered.sum()
    filled = covered & ~hole
    assert pixel_psnr(made, empty, filled) > 24
    assert pixel_psnr(made, empty, filled) > pixel_psnr(clip.frames, empty, filled) + 8
    np.testing.assert_array_equal(made[~covered], clip.frames[~covered])


def test_what_no_frame_shows_is_a_hole_and_left_alone() -> None:
    clip = render_scene(scene("stays still"))
    (first, *_) = found = behind(clip.frames, clip.coverage[0])
    assert all(np.array_equal(one.hole, one.covered) for one in found)
    np.testing.assert_allclose(first.frame * 255, clip.frames[0], atol=1e-3)


def test_a_frame_depends_on_its_number_alone() -> None:
    clip = render_scene(scene("slides left"))
    whole = behind(clip.frames, clip.coverage[0])
    (one,) = behind(clip.frames, clip.coverage[0], range(9, 10))
    np.testing.assert_array_equal(one.frame, whole[9].frame)


def test_a_change_of_exposure_is_made_good() -> None:
    clip = render_scene(scene("slides left"))
    fading = 2 * np.arange(17)[:, None, None, None]

    def dimmed(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        return np.asarray(np.rint(0.7 * frames + 60 - fading), np.uint8)  # nothing is cut off at black or white

    empty = dimmed(render_scene(scene("slides left").model_copy(update={"actors": ()})).frames).astype(float)
    found = behind(dimmed(clip.frames), clip.coverage[0])
    for number in (0, 16):
        one = found[number]
        error = one.frame[one.covered & ~one.hole] * 255 - empty[number][one.covered & ~one.hole]
        assert np.abs(error).mean() < 3


def test_the_motion_of_a_picture_without_detail_is_not_made_up() -> None:
    grey = np.full((64, 64, 3), 120, np.uint8)
    motion = camera_motion(grey, grey, np.ones((64, 64), bool))
    assert motion is not None
    np.testing.assert_allclose(motion, [[1, 0, 0], [0, 1, 0]], atol=0.02)
    assert camera_motion(grey, grey, np.zeros((64, 64), bool)) is None
