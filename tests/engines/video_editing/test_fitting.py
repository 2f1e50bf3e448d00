"""How a video becomes a clip that a model takes, and what is said of it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from engines.backend.catalogue import load_catalogue
from engines.errors import LimitExceeded
from engines.footage.footage import ClipFootage
from engines.media.clip import Clip
from engines.video_editing.fitting import fitted, fitted_masks, plan_chunks, plan_fit

CARD = load_catalogue().card("diorama")


def footage(frames: int, height: int, width: int, fps: int = 24, deep: bool = False) -> ClipFootage:
    across = np.linspace(0, 255, width)[None, None, :, None]
    pixels = np.broadcast_to(across, (frames, height, width, 3)) + np.arange(frames)[:, None, None, None]
    clip = pixels.clip(0, 255).astype(np.uint8)
    return ClipFootage(Clip(clip.astype(np.uint16) * 257 if deep else clip, Fraction(fps)))


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(96, 96, (96, 96)), (720, 1280, (64, 128)), (1920, 1080, (128, 64)), (100, 110, (96, 96))],
)
def test_the_trained_size_of_the_nearest_shape_is_taken(height: int, width: int, expected: tuple[int, int]) -> None:
    fit = plan_fit(footage(2, height, width), CARD)
    assert (fit.geometry.height, fit.geometry.width) == expected


def test_a_clip_that_fits_is_left_alone_and_nothing_is_said() -> None:
    source = footage(17, 96, 96)
    fit = plan_fit(source, CARD)
    assert fit.warnings == ()
    np.testing.assert_array_equal(fitted(source, fit), np.stack(list(source.frames(range(17)))))


def test_what_is_cut_and_filled_up_is_said() -> None:
    source = footage(6, 96, 192)
    fit = plan_fit(source, CARD)
    made = fitted(source, fit)
    assert made.shape == (9, 64, 128, 3)
    np.testing.assert_array_equal(made[5], made[8])
    assert any("6 frames are filled up to 9" in said for said in fit.warnings)
    assert any("makes the clip in 128 × 64 pixels" in said for said in fit.warnings)
    tall = footage(2, 100, 300)
    assert any("the middle 67% of the picture" in said for said in plan_fit(tall, CARD).warnings)
    shown = fitted(tall, plan_fit(tall, CARD))[0, 32, :, 0].astype(int)
    assert shown[0] == pytest.approx(255 / 6, abs=3), "a sixth is cut away on either side"
    assert shown[-1] == pytest.approx(255 * 5 / 6, abs=3)


def test_of_a_smoother_clip_the_model_sees_as_many_frames_a_second_as_its_own_have() -> None:
    source = footage(34, 96, 96, fps=48)
    fit = plan_fit(source, CARD)
    assert (fit.every, fit.count, fit.fps, fit.geometry.frames) == (2, 17, 24, 17)
    np.testing.assert_array_equal(fitted(source, fit), np.stack(list(source.frames(range(34))))[::2])
    masks = (np.full((96, 96), number / 34, np.float32) for number in range(34))
    assert fitted_masks(masks, fit)[:, 0, 0] == pytest.approx(np.arange(0, 34, 2) / 34, abs=0.01)
    assert any("24 frames of each second" in said for said in fit.warnings)
    with pytest.raises(LimitExceeded, match="has 60 frames, of which the model sees 30"):
        plan_fit(footage(60, 96, 96, fps=60), CARD)
    assert plan_fit(footage(17, 96, 96, fps=30), CARD).every == 1, "nearer to its own than every second one"


def test_ten_bits_become_eight() -> None:
    source = footage(1, 96, 96, deep=True)
    made = fitted(source, plan_fit(source, CARD))
    assert made.dtype == np.uint8
    assert made[0, 0, -1, 0] == 255


def test_a_longer_video_is_refused_with_the_out_point_that_would_do() -> None:
    with pytest.raises(LimitExceeded, match="The part to edit has 40 frames") as caught:
        plan_fit(footage(40, 96, 96, fps=12), CARD)
    assert caught.value.field == "end"
    fit = plan_fit(footage(40, 96, 96, fps=12), CARD, in_chunks=True)
    assert (fit.geometry.frames, fit.window, fit.at_once.frames, fit.at_once.latent_frames) == (41, 17, 17, 5)
    plan = plan_chunks(fit, 4)
    assert plan.lined_up == "every slot"
    assert len(plan.chunks) > 1
    short = plan_fit(footage(20, 96, 96), CARD, in_chunks=True)
    assert (short.window, len(plan_chunks(short, 4).chunks)) == (25, 1)
    assert "2.08 seconds after the in point" in caught.value.fix


def test_open_models_take_the_videos_own_shape() -> None:
    card = load_catalogue().card("ltx_video")
    fit = plan_fit(footage(9, 500, 1000), card)
    assert fit.geometry.width / fit.geometry.height == pytest.approx(2, rel=0.1)
    assert fit.geometry.width % card.facts.size_multiple == 0
