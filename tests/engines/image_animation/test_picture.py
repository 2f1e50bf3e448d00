"""Pictures of every kind become a frame of the model's: never stretched, and what is cut away or added is said."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from engines.backend.catalogue import load_catalogue
from engines.errors import InvalidRequest, MediaError
from engines.footage.framing import framed
from engines.image_animation.check import check_request
from engines.image_animation.picture import open_picture, plan_clip
from engines.image_animation.request import ImageAnimationRequest
from engines.media.writer import ClipWriter
from engines.task import parse_request

CARD = load_catalogue().card("diorama")


def saved(path: Path, picture: Image.Image, **how: object) -> Path:
    picture.save(path, **how)
    return path


def halves(height: int, width: int) -> Image.Image:
    """Red on the left, blue on the right."""
    made = np.zeros((height, width, 3), np.uint8)
    made[:, : width // 2, 0] = made[:, width // 2 :, 2] = 200
    return Image.fromarray(made)


def asked(path: Path, **fields: object) -> ImageAnimationRequest:
    return parse_request(ImageAnimationRequest, {"picture": path, "prompt": "a fox bounces in the snow", **fields})


def test_orientation_transparency_cmyk_and_depth_are_understood(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    lying = open_picture(saved(tmp_path / "turned.jpg", halves(60, 100), exif=turned), "picture")
    assert lying.shape == (100, 60, 3)
    assert lying[10, 30, 0] > 150 > 60 > lying[10, 30, 2]
    clear = Image.new("RGBA", (64, 64), (10, 200, 10, 0))
    assert (open_picture(saved(tmp_path / "clear.png", clear), "picture") == 255).all()
    ink = open_picture(saved(tmp_path / "ink.jpg", halves(64, 64).convert("CMYK")), "picture")
    assert ink[30, 10, 0] > 150 > 60 > ink[30, 10, 2]
    deep = np.full((64, 64, 3), 51400, np.uint16)
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    assert abs(int(open_picture(tmp_path / "deep.png", "picture").mean()) - 200) <= 1


@pytest.mark.parametrize(("size", "trained"), [((100, 100), (96, 96)), ((60, 150), (64, 128)), ((300, 90), (128, 64))])
def test_the_clip_has_the_trained_shape_that_is_nearest(
    tmp_path: Path, size: tuple[int, int], trained: tuple[int, int]
) -> None:
    picture = np.asarray(halves(*size))
    geometry = plan_clip(asked(tmp_path / "a.png"), picture, CARD).geometry
    assert (geometry.height, geometry.width, geometry.frames) == (*trained, 17)


def test_a_picture_is_cut_or_padded_and_never_stretched() -> None:
    circle = np.zeros((100, 300, 3), np.uint8)
    cv2.circle(circle, (150, 50), 40, (255, 255, 255), -1)
    for framing in ("crop", "pad"):
        made = framed(circle, 96, 96, framing)  # type: ignore[arg-type]
        assert made.shape == (96, 96, 3)
        rows, columns = np.nonzero(made[..., 0] > 128)
        assert abs((rows.max() - rows.min()) - (columns.max() - columns.min())) <= 1
        assert (rows.max() - rows.min() > 60) == (framing == "crop")
    edges = framed(np.asarray(halves(100, 300)), 96, 96, "pad")
    assert edges[0, 10, 0] > 150
    assert edges[-1, -10, 2] > 150


def test_what_is_cut_or_added_is_said(tmp_path: Path) -> None:
    wide = saved(tmp_path / "wide.png", halves(100, 400))
    assert "the middle 50%" in " ".join(check_request(asked(wide), load_catalogue()))
    assert "edges are continued" in " ".join(check_request(asked(wide, framing="pad"), load_catalogue()))
    assert check_request(asked(saved(tmp_path / "square.png", halves(96, 96))), load_catalogue()) == []


def test_bad_input_is_named(tmp_path: Path) -> None:
    catalogue = load_catalogue()
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(MediaError) as unreadable:
        check_request(asked(broken), catalogue)
    assert unreadable.value.field == "picture"
    with pytest.raises(InvalidRequest, match="only 20 × 20 pixels"):
        check_request(asked(saved(tmp_path / "tiny.png", halves(20, 20))), catalogue)
    video = tmp_path / "clip.mp4"
    with ClipWriter(video, Fraction(24)) as writer:
        writer.write(np.zeros((9, 96, 96, 3), np.uint8))
    with pytest.raises(InvalidRequest, match="a video, not a picture"):
        check_request(asked(video), catalogue)
    square = saved(tmp_path / "square.png", halves(96, 96))
    with pytest.raises(MediaError) as end:
        check_request(asked(square, end_picture=broken), catalogue)
    assert end.value.field == "end_picture"
    for field, value in (("prompt", "  "), ("movement", 1.5), ("frames", 3)):
        with pytest.raises(InvalidRequest) as wrong:
            asked(square, **{field: value})
        assert wrong.value.field == field


def test_a_model_that_cannot_begin_with_a_picture_is_refused(tmp_path: Path) -> None:
    square = saved(tmp_path / "square.png", halves(96, 96))
    other = next(card.id for card in load_catalogue().values() if "token_timesteps" not in card.features)
    with pytest.raises(InvalidRequest, match="cannot begin with a picture") as error:
        check_request(asked(square, model=other), load_catalogue())
    assert error.value.field == "model"


def test_words_that_the_model_does_not_know_are_named(tmp_path: Path) -> None:
    square = saved(tmp_path / "square.png", halves(96, 96))
    said = check_request(asked(square, prompt="a zeppelin bounces in the snow"), load_catalogue())
    assert "zeppelin" in " ".join(said)
