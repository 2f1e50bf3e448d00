"""How a clip that is longer than the model's window is cut into chunks. Plain data; no torch here.

Shape legend: TIME frames per slot (`temporal_compression`), a window of TIME·k + 1 frames has k + 1 slots.

**The causal slot rule.** A causal tokenizer encodes the first frame of a clip alone and then TIME frames per slot: slot
0 of a film is frame 0, slot s ≥ 1 is frames TIME·s − (TIME − 1) … TIME·s. So what a chunk's latents are of depends on
where the chunk begins, and the overlap decides that:

- overlap = TIME·o: every later window begins with a whole slot of the film and is seen in the film's slot coordinates
  (`Grid.first_slot` of engines.conditioning.given). It has k + 1 slots like the first one, so TIME more − 1 frames, as
  many tokens, and all its slots are the film's own: latents are handed over to the bit, and the film's latents are one
  clip that is decoded as one. Such a window must never be decoded alone as if it were a clip: its first slot would come
  out as one frame.
- overlap = TIME·o + 1: every later chunk is a clip of its own whose first frame is a multiple of TIME in the film. Its
  slots 1, 2, … hold the very frames of the film's slots, but its slot 0 is one frame alone where the film has TIME:
  that one must be encoded again, and all of them where the encoder looks back further than a slot.
- any other overlap: the chunk's slots straddle the film's, nothing can be handed over but decoded frames.

Paper rows 60 and 64, and the note of rows 56–65 on a window planner.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from engines.byte_sizes import spoken_bytes
from engines.errors import InvalidRequest

# forward: chunk after chunk, each given the end of the one before. together: all chunks go through the steps side by
# side and are blended where they overlap (overlap averaging, row 60's baseline). Outwards from a chunk in the middle is
# not offered: the model was trained to go on from a given beginning, not to lead up to a given end of whole slots.
Order = Literal["forward", "together"]
LinedUp = Literal["every slot", "all but the first", "none"]


@dataclass(frozen=True)
class Chunk:
    """One window of the film. Frames are numbered in the film, padding included.

    Attributes:
        index: 0 … chunks − 1; Site.window.
        first_frame, stop: The frames first_frame … stop − 1 stand in the window.
        first_slot: Which slot of the film the window begins with; 0 for a chunk that is a clip of its own.
        slots: k + 1, or fewer where the whole film is shorter than the window.
        given: Frames that the chunk before hands over; empty for the first chunk and where chunks go together.
        given_slots: How many of its slots, from the first on, are given whole.
        made: Frames that it contributes to the result, without padding. Those of all chunks are the film.
    """

    index: int
    first_frame: int
    stop: int
    first_slot: int
    slots: int
    given: range
    given_slots: int
    made: range

    @property
    def frames(self) -> int:
        return self.stop - self.first_frame

    @property
    def begins_inside(self) -> bool:
        """Whether its first slot holds TIME frames of the middle of the film, instead of one."""
        return self.first_slot > 0


@dataclass(frozen=True)
class Estimate:
    """What a plan costs.

    Attributes:
        steps: Sampling steps of all chunks.
        evaluations: Model calls of all chunks, guidance included.
        disk_bytes: Of the finished chunks, until the film is whole.
    """

    steps: int
    evaluations: int
    disk_bytes: int


@dataclass(frozen=True)
class ChunkPlan:
    """See the module.

    Args:
        frames: At least 1, of the whole film.
        window_frames: TIME·k + 1, what the model makes at once.
        overlap: Frames that a chunk shares with the one before it, 0 … window_frames − 1. The last window is moved back
            to end with the film, so it may share more.
        temporal_compression: TIME, a fact of the model.
        order: "together" needs every slot to line up.

    Raises: InvalidRequest (field frames, window_frames or overlap).
    """

    frames: int
    window_frames: int
    overlap: int
    temporal_compression: int = 4
    order: Order = "forward"

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise InvalidRequest(f"frames = {self.frames} is not possible.", "Choose at least 1 frame.", "frames")
        time = self.temporal_compression
        if self.window_frames < 1 or (self.window_frames - 1) % time:
            below = max(0, self.window_frames - 1) // time * time + 1
            raise InvalidRequest(
                f"A window of {self.window_frames} frames is not possible: the model makes 1, {time + 1}, "
                f"{2 * time + 1}, … frames at once.",
                f"Choose a window of {below} or {below + time} frames.",
                "window_frames",
            )
        if not 0 <= self.overlap < self.window_frames:
            raise InvalidRequest(
                f"An overlap of {self.overlap} frames is not possible with a window of {self.window_frames}.",
                f"Choose an overlap between 0 and {self.window_frames - 1} frames.",
                "overlap",
            )
        if self.order == "together" and self.lined_up != "every slot":
            below = self.overlap // time * time
            more = f" or {below + time}" if below + time < self.window_frames else ""
            raise InvalidRequest(
                f"Chunks that overlap by {self.overlap} frames cannot be made together: their latents are not of the "
                f"same frames.",
                f"Choose an overlap of {below}{more} frames, or make them one after the other.",
                "overlap",
            )

    @property
    def lined_up(self) -> LinedUp:
        """Which slots of a chunk are slots of the chunk before."""
        rest = self.overlap % self.temporal_compression
        return "every slot" if rest == 0 else "all but the first" if rest == 1 else "none"

    @property
    def padded_frames(self) -> int:
        """Frames that are made: the film, its last frame repeated up to the next TIME·k + 1 where slots matter."""
        if self.lined_up == "none" and self.frames > self.window_frames:
            return self.frames
        return -(-(self.frames - 1) // self.temporal_compression) * self.temporal_compression + 1

    @property
    def film_slots(self) -> int:
        """Slots of the padded film as one clip."""
        return -(-(self.padded_frames - 1) // self.temporal_compression) + 1

    @cached_property
    def chunks(self) -> tuple[Chunk, ...]:
        """In the order of the film, which is the order of making."""
        chunks: list[Chunk] = []
        for index, (first, stop, first_slot, slots) in enumerate(self._windows()):
            before = chunks[-1].stop if chunks else 0
            given = range(first, before) if chunks and self.order == "forward" else range(first, first)
            # A window from the middle is given whole slots of TIME; a clip of its own one frame and then slots of TIME.
            lead = 0 if first_slot else self.temporal_compression - 1
            given_slots = (len(given) + lead) // self.temporal_compression if given else 0
            made = range(before, min(stop, self.frames))
            chunks.append(Chunk(index, first, stop, first_slot, slots, given, given_slots, made))
        return tuple(chunks)

    def _windows(self) -> list[tuple[int, int, int, int]]:
        """First frame, frame after the last, first slot and slots of each."""
        time = self.temporal_compression
        window_slots = (self.window_frames - 1) // time + 1
        if self.lined_up == "every slot":
            slots = min(window_slots, self.film_slots)
            starts = _starts(self.film_slots, slots, window_slots - self.overlap // time)
            return [(_first_frame(slot, time), (slot + slots - 1) * time + 1, slot, slots) for slot in starts]
        window = min(self.window_frames, self.padded_frames)
        starts = _starts(self.padded_frames, window, self.window_frames - self.overlap)
        return [(first, first + window, 0, (window - 1) // time + 1) for first in starts]

    def weights(self, index: int, of: Literal["slots", "frames"] = "frames") -> tuple[float, ...]:
        """How much the chunk counts in each of its slots or frames where chunks are blended; over all chunks 1.

        A linear ramp across an overlap; a chunk that overlaps nothing counts whole.

        Raises: ValueError for slots that do not line up.
        """
        if of == "slots" and self.lined_up != "every slot":
            raise ValueError(f"chunks that overlap by {self.overlap} frames share no slots")
        # Beyond these no chunk reaches into this one; the ends of the film do not ramp.
        reach = self.window_frames // max(1, self.window_frames - self.overlap) + self.temporal_compression
        near = self.chunks[max(0, index - reach) : index + reach + 1]
        own = self._span(self.chunks[index], of)
        totals = [sum(self._ramp(other, place, of) for other in near) for place in own]
        return tuple(
            self._ramp(self.chunks[index], place, of) / total for place, total in zip(own, totals, strict=True)
        )

    def _span(self, chunk: Chunk, of: Literal["slots", "frames"]) -> range:
        if of == "frames":
            return range(chunk.first_frame, chunk.stop)
        return range(chunk.first_slot, chunk.first_slot + chunk.slots)

    def _ramp(self, chunk: Chunk, place: int, of: Literal["slots", "frames"]) -> int:
        """Distance from the nearer border that another chunk lies beyond; 0 outside."""
        span = self._span(chunk, of)
        if place not in span:
            return 0
        rising = place - span.start + 1 if chunk.index else self.window_frames
        falling = span.stop - place if chunk.index < len(self.chunks) - 1 else self.window_frames
        return min(rising, falling)

    def estimate(self, steps: int, evaluations_per_step: int, slot_bytes: int) -> Estimate:
        """What it costs.

        Args:
            steps: Of one chunk.
            evaluations_per_step: Branches of the guidance times stages of the solver.
            slot_bytes: Of one slot's latents: 4 · channels · height · width in cells.
        """
        in_all = steps * len(self.chunks)
        disk_bytes = slot_bytes * sum(chunk.slots for chunk in self.chunks) if len(self.chunks) > 1 else 0
        return Estimate(in_all, in_all * evaluations_per_step, disk_bytes)

    def sentence(self, estimate: Estimate | None = None) -> str:
        """What will happen, for a person, before submit."""
        count, words = len(self.chunks), []
        if count == 1:
            words.append(f"{_frames(self.frames)} {'is' if self.frames == 1 else 'are'} made at once.")
        else:
            longest = max(chunk.frames for chunk in self.chunks)
            words.append(f"{_frames(self.frames)} are made in {count} chunks of up to {longest} frames, {self._how()}.")
        if self.padded_frames > self.frames:
            words.append(
                f"The model makes {self.padded_frames} frames, not {self.frames}: the end is filled up by repeating "
                "the last frame, and cut off again."
            )
        if estimate is not None:
            cost = f"That takes {estimate.steps:,} steps and {estimate.evaluations:,} evaluations of the model"
            kept = f", and {spoken_bytes(estimate.disk_bytes)} on the disk until the film is whole"
            words.append(f"{cost}{kept if estimate.disk_bytes else ''}.")
        return " ".join(words)

    def _how(self) -> str:
        if self.order == "together":
            return f"side by side, blended over {_frames(self.overlap)}" if self.overlap else "side by side"
        if self.overlap == 0:
            return "none of which knows the one before"
        return f"each given the last {_frames(self.overlap)} of the one before"


def _first_frame(slot: int, time: int) -> int:
    return max(0, (slot - 1) * time + 1)


def _starts(length: int, window: int, stride: int) -> list[int]:
    """Where windows begin; the last one ends with the film, so that all are equally long."""
    return [*range(0, length - window, stride), length - window]


def _frames(count: int) -> str:
    return f"{count} frame{'' if count == 1 else 's'}"
