"""Shots, captions and buckets, each for itself."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from engines.training.curation.buckets import best_size, cropped_share, windows
from engines.training.curation.captions import CaptionError, sidecar_captions
from engines.training.curation.measures import measure, picture_hash
from engines.training.curation.rules import EXAMPLE, read_rules
from engines.training.curation.shots import Shot, find_shots

RULES = read_rules(Path(EXAMPLE))


def texture(seed: int, length: int, step: int = 1) -> npt.NDArray[np.uint8]:
    """A texture that drifts by `step` pixels a frame, [length, 64, 96, 3]."""
    coarse = np.random.default_rng(seed).integers(0, 255, (10, 40, 3)).astype(np.float32)
    wide = cv2.resize(coarse, (400, 64), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
    return np.stack([wide[:, number * step : number * step + 96] for number in range(length)])


@pytest.mark.parametrize("chunk", [1, 5, 16, 100])
def test_shots_do_not_depend_on_how_a_video_is_read(chunk: int) -> None:
    film = np.concatenate([texture(1, 20), texture(2, 11), texture(3, 25)])
    parts = [film[start : start + chunk] for start in range(0, len(film), chunk)]
    assert list(find_shots(parts)) == [Shot(0, 20), Shot(20, 31), Shot(31, 56)]


def test_a_flash_ends_no_shot_and_an_empty_film_has_none() -> None:
    film = texture(1, 24)
    film[12:14] = 255 - film[12:14] // 8
    assert list(find_shots([film])) == [Shot(0, 24)]
    assert list(find_shots([])) == []


def test_trimming_may_leave_nothing() -> None:
    assert Shot(3, 20).trimmed(2) == Shot(5, 18)
    assert Shot(3, 5).trimmed(4).length == 0


def test_windows_are_of_the_greatest_length_and_spread_over_the_shot() -> None:
    assert windows(Shot(2, 10), RULES) == []
    assert windows(Shot(2, 20), RULES) == [Shot(2, 19)]
    assert windows(Shot(0, 30), RULES) == [Shot(2, 27)]
    several = windows(Shot(0, 1000), RULES)
    assert len(several) == RULES.windows_per_shot
    assert all(window.length == 25 for window in several)
    assert all(first.end <= second.first for first, second in pairwise(several))
    assert several[0].first == pytest.approx(1000 - several[-1].end, abs=1)


def test_the_bucket_is_the_one_that_crops_least() -> None:
    assert cropped_share(100, 200, (64, 128)) == pytest.approx(0)
    assert cropped_share(100, 200, (96, 96)) == pytest.approx(0.5)
    assert best_size(1080, 1920, RULES) == (64, 128)
    assert best_size(1920, 1080, RULES) == (128, 64)
    assert best_size(480, 500, RULES) == (96, 96)
    assert best_size(100, 500, RULES) is None


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", "\ufeff a fox\n runs ", ("a fox runs",)),
        ("a.json", '{"caption": "a fox"}', ("a fox",)),
        ("a.json", '["a fox", "an animal", ""]', ("a fox", "an animal")),
        ("a.json", '{"captions": ["a fox", "it runs"]}', ("a fox", "it runs")),
        ("b.txt", "of another video", ()),
    ],
)
def test_captions_are_read_from_beside_the_video(
    name: str, content: str, expected: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert sidecar_captions(tmp_path / "a.mp4") == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"\xff\xfe\xff", "not UTF-8"),
        ("a.txt", b" \n", "empty"),
        ("a.txt", b"a" * 70_000, "larger than 64 KB"),
        ("a.json", b"{", "not JSON"),
        ("a.json", b'{"title": "a fox"}', "no “caption”"),
        ("a.json", b"[1]", "no “caption”"),
    ],
)
def test_captions_that_cannot_be_used_are_said(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CaptionError, match=message):
        sidecar_captions(tmp_path / "a.mp4")


def test_a_steady_pan_moves_and_does_not_shake() -> None:
    measured = measure(texture(4, 8, step=3))
    assert measured.motion == pytest.approx(100 * 3 / np.hypot(64, 96), rel=0.25)
    assert measured.shake < 0.3
    assert measured.mixing < 15
    with pytest.raises(ValueError, match="no frame"):
        measure(np.zeros((0, 64, 96, 3), np.uint8))


def test_a_hash_survives_another_size_and_brightness() -> None:
    first, other = (cv2.cvtColor(texture(seed, 1)[0], cv2.COLOR_RGB2GRAY) for seed in (5, 6))
    changed = (cv2.resize(first, (48, 32), interpolation=cv2.INTER_AREA) * 0.8 + 10).astype(np.uint8)
    assert (picture_hash(first) ^ picture_hash(changed)).bit_count() <= 4
    assert (picture_hash(first) ^ picture_hash(other)).bit_count() > 12
