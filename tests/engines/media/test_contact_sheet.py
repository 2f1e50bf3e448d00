from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engines.errors import MediaError, ResourceError
from engines.media.contact_sheet import contact_sheet, save_picture, spread, thumbnail
from engines.media.digest import FramesDigest, frames_digest
from tests.engines.media.synthesis import moving_picture, numbered_frames


def test_each_clip_shows_its_middle_frame_in_reading_order() -> None:
    clips = [np.full((5, 20, 30, 3), 10, np.uint8) for _ in range(5)]
    for index, clip in enumerate(clips):
        clip[2] = 100 + 20 * index
    sheet = contact_sheet(clips, columns=3)
    assert sheet.shape == (2 * 24 + 4, 3 * 34 + 4, 3)
    for index in range(5):
        row, column = divmod(index, 3)
        assert (sheet[4 + 24 * row : 24 + 24 * row, 4 + 34 * column : 34 + 34 * column] == 100 + 20 * index).all()


def test_film_strips_and_single_frames() -> None:
    strip = contact_sheet([numbered_frames(9, 8, 8)], frames_per_clip=3)[4:12, 4:28]
    assert [int(strip[0, 8 * part, 0]) for part in range(3)] == [0, 40, 80]
    assert contact_sheet(numbered_frames(3, 8, 8), columns=8).shape == (16, 40, 3)
    assert spread(17, 4) == [0, 5, 11, 16]


def test_labels_are_drawn_below_and_never_wider_than_their_cell() -> None:
    clips = [np.zeros((1, 40, 96, 3), np.uint8)] * 2
    plain = contact_sheet(clips, labels=["", ""])
    labelled = contact_sheet(clips, labels=["short", "a very long label that would run over its neighbour " * 3])
    assert labelled.shape[0] > plain.shape[0]
    below = labelled[44:].max(axis=2) > 120
    assert below[:, 4:100].any()
    assert below[:, 104:200].any()
    assert not below[:, 101:104].any()
    with pytest.raises(ValueError, match="1 labels for 2 clips"):
        contact_sheet(clips, labels=["one"])


def test_thumbnail_keeps_the_shape_of_the_picture() -> None:
    assert thumbnail(moving_picture(9, 90, 640)).shape == (45, 320, 3)
    small = moving_picture(9)
    np.testing.assert_array_equal(thumbnail(small), small[4])


def test_pictures_are_saved_whole(tmp_path: Path) -> None:
    picture = moving_picture(1)[0]
    for suffix in ("png", "webp"):
        save_picture(tmp_path / f"a.{suffix}", picture)
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / f"a.{suffix}")), picture)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.png", "a.webp"]
    with pytest.raises(MediaError) as caught:
        save_picture(tmp_path / "a.tga", picture)
    assert caught.value.fix == "Choose one of: .png, .webp, .jpg."
    with pytest.raises(ResourceError):
        save_picture(tmp_path / "a.png" / "b.png", picture)


def test_digest_tells_frames_apart_and_not_their_cutting() -> None:
    frames = moving_picture(6)
    whole = frames_digest(frames)
    assert frames_digest([frames[:1], frames[1:]]) == whole
    changed = frames.copy()
    changed[3, 2, 1, 0] += 1
    assert frames_digest(changed) != whole
    assert frames_digest(frames.reshape(6, 64, 48, 3)) != whole
    assert frames_digest(frames.astype(np.uint16)) != whole
    digest = FramesDigest()
    digest.update(frames)
    with pytest.raises(ValueError, match="follow frames"):
        digest.update(frames[:, :10])
