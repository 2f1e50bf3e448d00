"""A brought mask is taken as it is, or refused with what to do."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.errors import InvalidRequest, MediaError
from engines.footage.footage import ClipFootage
from engines.media.clip import Clip
from engines.selection.mask_video import MaskVideo
from tests.engines.media.synthesis import write_video

FRAMES, HEIGHT, WIDTH = 6, 48, 64
CLIP = ClipFootage(Clip(np.zeros((FRAMES, HEIGHT, WIDTH, 3), np.uint8), Fraction(24)))


def squares(frames: int = FRAMES, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A white square that goes 4 pixels to the right with every frame. [T, H, W, 3]"""
    made = np.zeros((frames, height, width, 3), np.uint8)
    for number in range(frames):
        made[number, 12:36, 8 + 4 * number : 32 + 4 * number] = 255
    return made


def test_a_video_s_mask_is_its_white_in_spite_of_compression(tmp_path: Path) -> None:
    # At another rate than the clip's: frames count, not seconds.
    path = write_video(tmp_path / "mask.mp4", squares(), 12)
    mask = MaskVideo(path, CLIP)
    found, truth = np.stack(list(mask.masks(range(FRAMES)))), squares()[..., 0]
    assert found.dtype == np.uint8
    assert set(np.unique(found)) == {0, 255}
    assert (found == truth).mean() > 0.995
    np.testing.assert_array_equal(np.stack(list(mask.masks(range(3, 5)))), found[3:5])
    np.testing.assert_array_equal(np.stack(list(mask.mattes(range(FRAMES)))), found.astype(np.float32) / 255)


def test_a_picture_holds_for_all_frames_and_grey_is_divided_at_half(tmp_path: Path) -> None:
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    picture[:, :20], picture[:, 20:40] = 128, 127
    path = tmp_path / "mask.png"
    assert cv2.imwrite(str(path), picture)
    found = list(MaskVideo(path, CLIP).masks(range(1, 6)))
    assert len(found) == 5
    for mask in found:
        assert (mask[:, :20] == 255).all()
        assert not mask[:, 20:].any()


def test_deep_pictures_are_divided_at_half_too(tmp_path: Path) -> None:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint16)
    picture[:, :20], picture[:, 20:40] = 32768, 32767
    path = tmp_path / "mask.png"
    assert cv2.imwrite(str(path), picture)
    (found,) = MaskVideo(path, CLIP).masks(range(1))
    assert (found[:, :20] == 255).all()
    assert not found[:, 20:].any()


@pytest.mark.parametrize(
    ("frames", "said", "fix"),
    [
        (squares(width=80), "80 × 48 pixels, the clip 64 × 48", "Save the mask with 64 × 48 pixels"),
        (squares(frames=8), "8 frames, the clip 6", "a mask with 6 frames, or a single picture"),
        (np.full((FRAMES, HEIGHT, WIDTH, 3), 90, np.uint8), "is empty", "white on black"),
    ],
    ids=["size", "length", "empty"],
)
def test_what_does_not_fit_is_refused(frames: np.ndarray, said: str, fix: str, tmp_path: Path) -> None:
    path = write_video(tmp_path / "mask.mp4", frames, 24)
    with pytest.raises(InvalidRequest, match=said) as raised:
        MaskVideo(path, CLIP)
    assert raised.value.field == "mask"
    assert fix in raised.value.fix


def test_white_in_the_last_frame_alone_is_not_empty(tmp_path: Path) -> None:
    frames = squares()
    frames[:-1] = 0
    masks = MaskVideo(write_video(tmp_path / "mask.mp4", frames, 24), CLIP).masks(range(FRAMES))
    assert [bool(mask.any()) for mask in masks] == [False] * 5 + [True]


def test_a_file_that_is_no_picture_names_the_field(tmp_path: Path) -> None:
    path = tmp_path / "mask.mp4"
    path.write_bytes(b"no video at all")
    with pytest.raises(MediaError) as raised:
        MaskVideo(path, CLIP)
    assert raised.value.field == "mask"
