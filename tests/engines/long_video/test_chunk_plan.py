"""Every frame is made once, slots stand where the film's do, and what is not possible is refused with a way out."""

from __future__ import annotations

import itertools

import pytest

from engines.errors import InvalidRequest
from engines.long_video.chunk_plan import ChunkPlan

LENGTHS = (1, 2, 5, 16, 17, 18, 20, 21, 33, 64, 65, 66, 67, 257, 1200)


def frames_of_slot(slot: int) -> range:
    """The causal rule itself: the first frame alone, then four."""
    return range(1) if slot == 0 else range(4 * slot - 3, 4 * slot + 1)


@pytest.mark.parametrize("frames", LENGTHS)
@pytest.mark.parametrize(("window", "overlap"), [(17, overlap) for overlap in range(17)] + [(1, 0), (5, 4), (25, 9)])
def test_every_frame_is_made_by_exactly_one_chunk_that_holds_it(frames: int, window: int, overlap: int) -> None:
    plan = ChunkPlan(frames, window, overlap)
    made = [frame for chunk in plan.chunks for frame in chunk.made]
    assert made == list(range(frames))
    for before, chunk in itertools.pairwise(plan.chunks):
        assert set(chunk.made) <= set(range(chunk.first_frame, chunk.stop)) - set(chunk.given)
        assert chunk.made
        assert set(chunk.given) <= set(range(before.first_frame, before.stop))
        assert len(chunk.given) >= overlap
        assert chunk.slots == before.slots
    assert plan.chunks[-1].stop == plan.padded_frames
    assert frames <= plan.padded_frames < frames + 4


@pytest.mark.parametrize("overlap", [0, 4, 8, 16])
def test_windows_of_whole_slots_keep_the_films_slots(overlap: int) -> None:
    plan = ChunkPlan(65, 17, overlap)
    assert plan.lined_up == "every slot"
    for chunk in plan.chunks:
        held = [frame for slot in range(chunk.slots) for frame in frames_of_slot(chunk.first_slot + slot)]
        assert held == list(range(chunk.first_frame, chunk.stop))
        given = [frame for slot in range(chunk.given_slots) for frame in frames_of_slot(chunk.first_slot + slot)]
        assert given == list(chunk.given)
    assert [chunk.begins_inside for chunk in plan.chunks] == [False] + [True] * (len(plan.chunks) - 1)


@pytest.mark.parametrize("overlap", [1, 5, 9, 13])
def test_with_one_more_frame_a_chunk_is_a_clip_whose_later_slots_are_the_films(overlap: int) -> None:
    plan = ChunkPlan(65, 17, overlap)
    assert plan.lined_up == "all but the first"
    for chunk in plan.chunks[1:]:
        assert (chunk.first_slot, chunk.slots, chunk.frames) == (0, 5, 17)
        assert chunk.given_slots == (len(chunk.given) - 1) // 4 + 1
        film_slot = chunk.first_frame // 4
        for slot in range(1, 5):
            own = range(chunk.first_frame + 4 * slot - 3, chunk.first_frame + 4 * slot + 1)
            assert own == frames_of_slot(film_slot + slot)
        assert frames_of_slot(film_slot) != range(chunk.first_frame, chunk.first_frame + 1)


@pytest.mark.parametrize("overlap", [2, 3, 6, 7])
def test_other_overlaps_straddle_the_films_slots(overlap: int) -> None:
    plan = ChunkPlan(65, 17, overlap)
    assert plan.lined_up == "none"
    assert plan.chunks[1].first_frame % 4 != 0
    assert plan.chunks[1].given_slots == (overlap - 1) // 4 + 1


def test_a_clip_within_the_window_is_one_chunk_padded_to_the_grid() -> None:
    (chunk,) = ChunkPlan(11, 17, 4).chunks
    assert (chunk.first_frame, chunk.stop, chunk.slots, chunk.made) == (0, 13, 4, range(11))
    assert not chunk.given
    assert "cut off again" in ChunkPlan(11, 17, 4).sentence()
    assert ChunkPlan(17, 17, 4).sentence() == "17 frames are made at once."
    assert ChunkPlan(1, 17, 4).sentence() == "1 frame is made at once."


@pytest.mark.parametrize("frames", [15, 40, 65, 67, 129])
@pytest.mark.parametrize("overlap", [0, 4, 8, 12, 16])
@pytest.mark.parametrize("of", ["slots", "frames"])
def test_weights_are_ramps_that_add_up_to_one(frames: int, overlap: int, of: str) -> None:
    plan = ChunkPlan(frames, 17, overlap, order="together")
    totals: dict[int, float] = {}
    for chunk in plan.chunks:
        weights = plan.weights(chunk.index, of)  # type: ignore[arg-type]
        start = chunk.first_frame if of == "frames" else chunk.first_slot
        assert min(weights) > 0
        for place, weight in enumerate(weights, start):
            totals[place] = totals.get(place, 0) + weight
        assert not chunk.given
    assert sorted(totals) == list(range(plan.padded_frames if of == "frames" else plan.film_slots))
    assert list(totals.values()) == pytest.approx([1.0] * len(totals))


def test_a_ramp_is_linear_and_the_ends_of_the_film_count_whole() -> None:
    plan = ChunkPlan(29, 17, 8, order="together")
    assert plan.weights(0, "slots") == pytest.approx((1, 1, 1, 2 / 3, 1 / 3))
    assert plan.weights(1, "slots") == pytest.approx((1 / 3, 2 / 3, 1, 1, 1))
    with pytest.raises(ValueError, match="share no slots"):
        ChunkPlan(29, 17, 5).weights(0, "slots")
    assert sum(ChunkPlan(29, 17, 5).weights(1)[:5]) == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("arguments", "field", "fix"),
    [
        ((0, 17, 4), "frames", "at least 1 frame"),
        ((65, 16, 4), "window_frames", "13 or 17"),
        ((65, 0, 0), "window_frames", "1 or 5"),
        ((65, 17, 17), "overlap", "between 0 and 16"),
        ((65, 17, -1), "overlap", "between 0 and 16"),
        ((65, 17, 5, 4, "together"), "overlap", "4 or 8"),
    ],
)
def test_what_is_not_possible_is_refused_with_a_way_out(arguments: tuple[int, int, int], field: str, fix: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        ChunkPlan(*arguments)
    assert refused.value.field == field
    assert fix in refused.value.fix


def test_the_sentence_says_chunks_padding_and_cost() -> None:
    plan = ChunkPlan(63, 17, 8)
    estimate = plan.estimate(20, 2, slot_bytes=4 * 128 * 36)
    assert len(plan.chunks) == 5
    assert (estimate.steps, estimate.evaluations, estimate.disk_bytes) == (100, 200, 5 * 5 * 18432)
    assert plan.sentence(estimate) == (
        "63 frames are made in 5 chunks of up to 20 frames, each given the last 8 frames of the one before. "
        "The model makes 65 frames, not 63: the end is filled up by repeating the last frame, and cut off again. "
        "That takes 100 steps and 200 evaluations of the model, and 1 MB on the disk until the film is whole."
    )
    assert "side by side, blended over 8 frames" in ChunkPlan(65, 17, 8, order="together").sentence()
    assert "none of which knows" in ChunkPlan(65, 17, 0).sentence()


def test_another_compression_moves_the_slots() -> None:
    plan = ChunkPlan(33, 17, 8, temporal_compression=8)
    assert [(chunk.first_frame, chunk.stop, chunk.first_slot, chunk.slots) for chunk in plan.chunks] == [
        (0, 17, 0, 3), (9, 33, 2, 3),
    ]  # fmt: skip
