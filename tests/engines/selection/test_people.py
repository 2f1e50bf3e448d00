"""People are found, followed and steady. The person: scikit-image's astronaut, seen through a window that pans.

Shape legend: T frames, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from engines.errors import InvalidRequest, NotAvailable
from engines.footage.footage import ClipFootage
from engines.media.clip import Clip
from engines.selection.people import PersonMattes, PersonNetwork, require_person

FRAMES, SIDE, STEP = 7, 448, 6
NOISE = 6.0  # grey levels: so that no two frames show the same bytes


@pytest.fixture(scope="module")
def panned() -> ClipFootage:
    """A window that goes STEP pixels to the right with every frame: the person goes as many to the left."""
    random, picture = np.random.default_rng(0), skimage.data.astronaut()
    windows = np.stack([picture[-SIDE:, t * STEP : t * STEP + SIDE] for t in range(FRAMES)])
    noisy = windows + random.normal(0, NOISE, windows.shape)
    return ClipFootage(Clip(noisy.round().clip(0, 255).astype(np.uint8), Fraction(24)))


@pytest.fixture(scope="module")
def mattes(panned: ClipFootage) -> np.ndarray:
    return np.stack(list(PersonMattes(panned).mattes(range(FRAMES))))


def flicker(mattes: np.ndarray) -> float:
    """Mean change from frame to frame once the pan is undone."""
    pairs = pairwise(mattes)
    return float(np.mean([np.abs(after[:, :-STEP] - before[:, STEP:]).mean() for before, after in pairs]))


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def footage(*frames: np.ndarray) -> ClipFootage:
    return ClipFootage(Clip(np.stack(frames), Fraction(24)))


def test_the_network_finds_as_much_of_the_astronaut_as_its_makers_runtime() -> None:
    found = PersonNetwork().matte(skimage.data.astronaut())
    # 0.545 with ai-edge-litert, too (FACTS: equal to 6e-5).
    assert (found > 0.5).mean() == pytest.approx(0.545, abs=0.005)
    assert found.min() >= 0
    assert found.max() <= 1


def test_mattes_follow_the_pan(mattes: np.ndarray) -> None:
    assert mattes.shape == (FRAMES, SIDE, SIDE)
    assert mattes.dtype == np.float32
    assert (mattes > 0.5).mean() == pytest.approx(0.655, abs=0.02)
    first, last, way = mattes[0] > 0.5, mattes[-1] > 0.5, STEP * (FRAMES - 1)
    followed, stayed = overlap(last[:, :-way], first[:, way:]), overlap(last, first)
    print(f"IoU of the first and the last matte: pan undone {followed:.3f}, as they are {stayed:.3f}")
    assert followed > 0.97
    assert followed > stayed + 0.1


def test_mattes_flicker_less_than_what_the_network_says_of_each_frame(panned: ClipFootage, mattes: np.ndarray) -> None:
    network = PersonNetwork()
    raw = flicker(np.stack([network.matte(frame) for frame in panned.frames(range(FRAMES))]))
    alone = flicker(np.stack(list(PersonMattes(panned, radius=0).mattes(range(FRAMES)))))
    steady = flicker(mattes)
    print(f"flicker: network {raw:.4f}, refined frame by frame {alone:.4f}, steadied {steady:.4f}")
    assert steady < 0.75 * min(raw, alone)


def test_edges_lie_where_the_picture_has_them(mattes: np.ndarray, panned: ClipFootage) -> None:
    """Beside the shoulder the matte falls from person to nobody within a few pixels."""
    shoulder = mattes[0][180:260]
    soft = ((shoulder > 0.2) & (shoulder < 0.8)).sum(1)
    assert np.median(soft) < 12


def test_a_matte_depends_on_its_number_alone(panned: ClipFootage, mattes: np.ndarray) -> None:
    found = list(PersonMattes(panned).mattes(range(2, 4)))
    np.testing.assert_array_equal(np.stack(found), mattes[2:4])


def test_sixteen_bits_give_what_eight_give() -> None:
    picture = skimage.data.astronaut()[::2, ::2]
    deep = picture.astype(np.uint16) * np.uint16(257)
    one, other = (next(PersonMattes(footage(frame)).mattes(range(1))) for frame in (picture, deep))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("shape", [(288, 512), (512, 288)])
def test_shapes_that_are_not_square_lose_nobody(shape: tuple[int, int]) -> None:
    """A crop's matte is the crop of the whole picture's matte, nearly."""
    picture, (height, width) = skimage.data.astronaut(), shape
    where = (slice(512 - height - 124 * (height < 512), None), slice(80 * (width < 512), None))
    crop = tuple(slice(part.start, part.start + size) for part, size in zip(where, shape, strict=True))
    network = PersonNetwork()
    assert overlap(network.matte(picture[crop]) > 0.5, network.matte(picture)[crop] > 0.5) > 0.95


def test_a_person_in_a_quarter_of_a_wide_frame_is_found() -> None:
    """Half of the frame's height and a fifth of its width: the whole frame alone does not show it well enough."""
    wall = np.repeat(np.tile(skimage.data.brick()[:360], (1, 2))[:, :640, None], 3, 2)
    person = skimage.data.astronaut()[::2, ::2]
    mask = PersonNetwork().matte(person) > 0.5
    wall[-256:, 100:356][mask] = person[mask]
    truth = np.zeros(wall.shape[:2], bool)
    truth[-256:, 100:356] = mask
    assert overlap(PersonNetwork().matte(wall) > 0.5, truth) > 0.85


def test_a_clip_without_a_person_is_refused_before_anything_is_rendered() -> None:
    wall = np.repeat(skimage.data.brick()[:256, :256, None], 3, 2)
    with pytest.raises(InvalidRequest, match="3 frames were looked at") as raised:
        require_person(PersonMattes(footage(wall, wall, wall)))
    assert raised.value.field == "mode"
    assert "a person is larger, or select by click, box or brush" in raised.value.fix


def test_a_person_in_some_frames_is_enough(panned: ClipFootage) -> None:
    wall = np.repeat(skimage.data.brick()[:448, :448, None], 3, 2)
    person = next(panned.frames(range(1)))
    seen = require_person(PersonMattes(footage(wall, wall, person, person)))
    assert (seen.looked_at, seen.with_person) == (4, 2)
    assert seen.largest_share > 0.5


def test_missing_weights_say_how_to_get_them(tmp_path: Path, panned: ClipFootage) -> None:
    with pytest.raises(NotAvailable, match=r"nowhere\.tflite") as raised:
        PersonMattes(panned, weights=tmp_path / "nowhere.tflite")
    assert "assets/models/selfie_segmentation/README.md" in raised.value.fix


def test_streaming_holds_a_few_frames() -> None:
    asked: list[int] = []

    class Counted(ClipFootage):
        def frames(self, wanted: range) -> Iterator[np.ndarray]:  # type: ignore[override]
            for number, frame in zip(wanted, super().frames(wanted), strict=True):
                asked.append(number)
                yield frame

    small = np.zeros((20, 64, 64, 3), np.uint8)
    next(PersonMattes(Counted(Clip(small, Fraction(24)))).mattes(range(5, 20)))
    assert asked == [3, 4, 5, 6, 7]
