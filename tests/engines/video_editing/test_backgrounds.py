"""People stay, what is behind them goes; each frame depends on its number alone."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from engines.footage.footage import ClipFootage
from engines.media.clip import Clip
from engines.video_editing.backgrounds import Composited, behind_of, covering
from engines.video_editing.request import VideoEditingRequest

SIDE = 64
Floats = npt.NDArray[np.float32]


class LeftHalf:
    """Mattes of somebody who stands in the left half of the picture."""

    def mattes(self, wanted: range) -> Iterator[Floats]:
        for _ in wanted:
            matte = np.zeros((SIDE, SIDE), np.float32)
            matte[:, : SIDE // 2] = 1
            yield matte


def source(deep: bool = False) -> ClipFootage:
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (4, SIDE, SIDE, 3), np.uint8)
    frames[:, :, : SIDE // 2] = (200, 40, 40)
    return ClipFootage(Clip(frames.astype(np.uint16) * 257 if deep else frames, Fraction(12)))


def request(**fields: object) -> VideoEditingRequest:
    return VideoEditingRequest.model_validate({"video": "clip.mp4", "mode": "background", **fields})


def made(given: ClipFootage, wanted: range = range(4), **fields: object) -> npt.NDArray[np.uint8]:
    stage = Composited(given, LeftHalf(), behind_of(request(**fields), given))
    return np.stack(list(stage.frames(wanted)))


def test_a_colour_takes_the_backgrounds_place_and_the_person_stays_to_the_bit() -> None:
    given = source()
    frames = made(given, background="colour", colour="#0080ff")
    np.testing.assert_array_equal(frames[:, :, : SIDE // 2], np.stack(list(given.frames(range(4))))[:, :, : SIDE // 2])
    assert (frames[:, :, SIDE // 2 :] == (0, 128, 255)).all()


def test_a_blurred_background_has_no_halo_of_the_person() -> None:
    frames = made(source(), background="blur", blur=1.0)
    behind = frames[:, :, SIDE // 2 :].astype(float)
    assert behind.std() < 20 < np.stack(list(source().frames(range(4))))[:, :, SIDE // 2 :].std()
    # Noise is grey on average; red of the person would show beside them.
    assert abs(behind[:, :, :4, 0].mean() - behind[:, :, :4, 1].mean()) < 12


def test_more_blur_is_blurrier_and_none_changes_nothing() -> None:
    spread = [made(source(), background="blur", blur=blur)[:, :, SIDE // 2 :].std() for blur in (0.0, 0.2, 1.0)]
    assert spread[0] > spread[1] > spread[2]
    np.testing.assert_array_equal(
        made(source(), background="blur", blur=0.0), np.stack(list(source().frames(range(4))))
    )


def test_another_picture_fills_the_frame(tmp_path: Path) -> None:
    picture = np.zeros((40, 200, 3), np.uint8)
    picture[:, 80:120] = (0, 255, 0)
    Image.fromarray(picture).save(tmp_path / "behind.png")
    frames = made(source(), background="picture", picture=tmp_path / "behind.png")
    assert (frames[:, 20:40, SIDE // 2 + 8 : -8, 1] > 250).all(), "the middle of the picture, not the whole squeezed in"


def test_a_chunk_is_the_same_as_the_whole_and_ten_bits_stay_ten_bits() -> None:
    whole = made(source(), background="blur")
    np.testing.assert_array_equal(made(source(), range(2, 4), background="blur"), whole[2:4])
    deep = made(source(deep=True), background="colour", colour="#ffffff")
    assert deep.dtype == np.uint16
    assert (deep[:, :, SIDE // 2 :] == 65535).all()


@pytest.mark.parametrize("shape", [(10, 300), (300, 10), (64, 64)])
def test_covering_keeps_the_shape_of_things(shape: tuple[int, int]) -> None:
    assert covering(np.zeros((*shape, 3), np.float32), (80, 40)).shape == (40, 80, 3)
