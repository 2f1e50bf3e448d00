"""A thing marked on one frame is selected on all of them, measured against what was drawn; corrections hold.

Shape legend: T frames, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engines.diorama.theatre.spec import SceneSpec, Thing
from engines.errors import Cancelled, InvalidRequest
from engines.footage.footage import ClipFootage, Footage
from engines.media.clip import Clip
from engines.selection.marks import Mark
from engines.selection.track import track_marks
from tests.engines.selection.scenes import (
    MOVING,
    box_around,
    click_in,
    drawn,
    mean_overlap,
    overlap,
    rendered,
    scene,
)


def selected(source: Footage, marks: Sequence[Mark], folder: Path) -> np.ndarray:
    """bool [T, H, W]."""
    track = track_marks(source, marks, folder)
    return np.stack(list(track.masks(range(source.count)))) >= 128


def beginning(name: str, frames: int) -> tuple[ClipFootage, np.ndarray]:
    """The first frames of a clip of MOVING, and what is true of them."""
    source, truth = drawn(name)
    return ClipFootage(Clip(np.stack(list(source.frames(range(frames)))), Fraction(24))), truth[:frames]


def still(truth: np.ndarray) -> np.ndarray:
    """The baseline: the first mask, which is perfect, stands."""
    return np.broadcast_to(truth[0], truth.shape)


def test_a_box_on_the_first_frame_follows_what_moves(tmp_path: Path) -> None:
    reached, baseline = [], []
    for name in MOVING:
        source, truth = drawn(name)
        found = selected(source, [box_around(truth[0])], tmp_path / name)
        reached.append(mean_overlap(found, truth))
        baseline.append(mean_overlap(still(truth), truth))
        print(f"{name}: mean IoU {reached[-1]:.3f} (stands still {baseline[-1]:.3f})")
    print(f"mean {np.mean(reached):.3f} ({np.mean(baseline):.3f})")
    assert np.mean(reached) > 0.85
    assert min(reached) > 0.75
    assert all(found > stays + 0.2 for found, stays in zip(reached, baseline, strict=True))


@pytest.mark.parametrize("marked", [(8,), (0, 16)])
def test_any_frame_may_be_marked_and_two_are_joined(marked: tuple[int, ...], tmp_path: Path) -> None:
    source, truth = drawn("owl")
    marks = [box_around(truth[frame], frame) for frame in marked]
    reached = mean_overlap(selected(source, marks, tmp_path), truth)
    print(f"marked on {marked}: mean IoU {reached:.3f}")
    assert reached > 0.8


@pytest.mark.parametrize("name", ["frog", "noisy"])
def test_a_thing_that_leaves_the_picture_s_border_leaves_nothing_there(name: str, tmp_path: Path) -> None:
    """Backwards from the last frame, where it stands at the border: nothing may be drawn out behind it."""
    source, truth = drawn(name)
    found = selected(source, [box_around(truth[16], 16)], tmp_path)
    print(f"{name} from the border: mean IoU {mean_overlap(found, truth):.3f}")
    assert mean_overlap(found, truth) > 0.9


def test_a_correction_holds_from_its_frame_on(tmp_path: Path) -> None:
    """Two things were taken; from frame 8 on only the one is wanted."""
    things = (Thing(noun="frog", motion="slides right", depth=3, seed=2), Thing(noun="gift", depth=4, seed=9))
    spec = SceneSpec(scene="pink wall", actors=things, sound=False)
    source, frog = rendered(spec)
    everything = Mark(frame=0, kind="box", box=(1, 1, 95, 95))
    both = selected(source, [everything], tmp_path / "both")
    gift = both & ~frog
    assert gift[12].sum() > 200, "the box took the gift, too"
    rows, columns = np.nonzero(gift[8])
    row, left, right = (float(np.quantile(*pair)) for pair in ((rows, 0.6), (columns, 0.1), (columns, 0.9)))
    without = Mark(frame=8, kind="not brush", points=((left, row), (right, row)), width=5)
    corrected = selected(source, [everything, without], tmp_path / "corrected")
    reached = [mean_overlap(masks[8:], frog[8:]) for masks in (both, corrected)]
    print(f"mean IoU with the frog alone from frame 8 on: {reached[0]:.3f}, corrected {reached[1]:.3f}")
    assert reached[1] > 0.85
    assert reached[1] > reached[0] + 0.15
    np.testing.assert_array_equal(corrected[0], both[0])


def test_what_stands_still_keeps_its_mask(tmp_path: Path) -> None:
    source, truth = rendered(scene("crab", "stays still", "beach"))
    found = selected(source, [box_around(truth[0])], tmp_path)
    assert min(overlap(mask, found[0]) for mask in found) > 0.99


def test_nothing_is_carried_over_a_cut(tmp_path: Path) -> None:
    (first, truth), (second, _) = drawn("fox"), drawn("owl")
    frames = np.concatenate([np.stack(list(part.frames(range(9)))) for part in (first, second)])
    source = ClipFootage(Clip(frames, Fraction(24)))
    found = selected(source, [box_around(truth[0])], tmp_path / "forwards")
    assert mean_overlap(found[:9], truth[:9]) > 0.8
    assert not found[9:].any()
    backwards = selected(source, [box_around(drawn("owl")[1][4], 13)], tmp_path / "backwards")
    assert not backwards[:9].any()
    assert backwards[9:].any((1, 2)).all()


def test_frames_larger_than_the_working_size_get_their_own_edges(tmp_path: Path) -> None:
    source, truth = rendered(scene("fox", "slides left", "purple wall", height=540, width=720, frames=5))
    track = track_marks(source, [box_around(truth[0])], tmp_path)
    assert track.values.shape == (5, 336, 448)
    mattes = np.stack(list(track.mattes(range(5))))
    assert (mattes.shape, mattes.dtype) == ((5, 540, 720), np.float32)
    reached = mean_overlap(mattes > 0.5, truth)
    print(f"540 × 720: mean IoU {reached:.3f}")
    assert reached > 0.93
    np.testing.assert_array_equal(np.stack(list(track.mattes(range(3, 5)))), mattes[3:])


def test_sixteen_bits_give_what_eight_give(tmp_path: Path) -> None:
    source, truth = beginning("fox", 3)
    frames = np.stack(list(source.frames(range(3))))
    marks = [box_around(truth[0])]
    one, other = (
        selected(ClipFootage(Clip(kind, Fraction(24))), marks, tmp_path / str(kind.dtype))
        for kind in (frames, frames.astype(np.uint16) * np.uint16(257))
    )
    np.testing.assert_array_equal(one, other)


def test_a_killed_run_leaves_nothing_and_the_next_gives_the_same_bytes(tmp_path: Path) -> None:
    source, truth = beginning("dog", 8)
    marks = [box_around(truth[frame], frame) for frame in (1, 5)]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    track_marks(source, marks, whole)

    def near_the_end(done: int, total: int) -> None:
        if done == total - 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        track_marks(source, marks, killed, near_the_end)
    assert not (killed / "masks.npy").exists()
    track_marks(source, marks, killed)
    assert (killed / "masks.npy").read_bytes() == (whole / "masks.npy").read_bytes()
    assert [path.name for path in killed.iterdir() if path.suffix == ".part"] == []


def test_a_finished_track_is_used_again_and_other_marks_or_clips_are_not(tmp_path: Path) -> None:
    source, truth = beginning("fox", 4)
    marks, steps = [box_around(truth[0])], []

    def count(done: int, total: int) -> None:
        steps.append((done, total))

    first = track_marks(source, marks, tmp_path, count)
    assert [done for done, _ in steps] == list(range(1, len(steps) + 1))
    assert {total for _, total in steps} == {len(steps)}, "the last step is the total"
    steps.clear()
    again = track_marks(source, marks, tmp_path, count)
    assert steps == []
    np.testing.assert_array_equal(again.values, first.values)
    other = ClipFootage(Clip(np.stack(list(source.frames(range(4))))[:, :, ::-1].copy(), Fraction(24)))
    click = [click_in(truth[0])]
    track_marks(source, click, tmp_path, count)
    assert steps
    steps.clear()
    track_marks(other, click, tmp_path, count)
    assert steps


def test_between_marks_the_steps_add_up_too(tmp_path: Path) -> None:
    source, truth = beginning("fox", 8)
    steps: list[tuple[int, int]] = []
    marks = [box_around(truth[frame], frame) for frame in (2, 3, 6)]
    track_marks(source, marks, tmp_path, lambda done, total: steps.append((done, total)))
    assert steps[-1] == (len(steps), len(steps))


def test_marks_outside_the_clip_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    source, _ = drawn("fox")
    with pytest.raises(InvalidRequest, match="frames 0 to 16") as raised:
        track_marks(source, [Mark(frame=17, kind="click", points=((4, 4),))], tmp_path)
    assert raised.value.field == "marks"
    assert list(tmp_path.iterdir()) == []
