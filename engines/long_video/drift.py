"""How far a long clip has gone from where it began, chunk by chunk, and a correction that brings its colours back.

What is measured is DESIGN.md's: per chunk the change of channel mean, contrast and identity, and `seam_jump`. It is
engines.metrics.continuity as a stream, because a render in constant memory never holds the clip that is measured there
(and because metrics stands beside the tasks, which import this package). A test holds the two together.

Shape legend: T frames of a chunk, H rows, W columns, E values of an embedding. Frames are those that a chunk
contributes, uint8 [T, H, W, 3]. Kept from chunk to chunk: one frame, one embedding, a few numbers per frame and chunk.

Paper row 64 (identity of the last chunk against the first, seams).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engines.errors import InvalidRequest

Frames = npt.NDArray[np.uint8]
Masks = npt.NDArray[np.bool_]  # [T, H, W], where the one is whose identity counts
Floats = npt.NDArray[np.float64]
Embed = Callable[[Frames, Masks | None], npt.NDArray[np.floating]]  # → [E]

CHANNELS = ("red", "green", "blue")
_LEVELS = 8  # per channel of a colour histogram
_GAINS = (0.5, 2.0)  # a chunk that shows something else must not be stretched into the anchor's contrast


@dataclass(frozen=True)
class Thresholds:
    """Up to where nothing is said.

    The first, second and last are what 99 % of the Diorama's true films of 65 frames stay within (40 films, chunks of
    12: channel mean 0.054, contrast 0.21; largest seam of the 32 that move 1.88, its median 1.26): things that move
    change colours, too.

    Attributes:
        channel_mean: Share of full brightness.
        contrast: Relative.
        identity: Of the cosine between embeddings.
        seam_jump: In median frame changes.
    """

    channel_mean: float = 0.055
    contrast: float = 0.21
    identity: float = 0.2
    seam_jump: float = 1.9


@dataclass(frozen=True)
class Appearance:
    """What a chunk looks like on the whole; 1 is full brightness.

    Attributes:
        mean, spread: Of each channel over all frames, float64 [3]: mean and standard deviation.
        contrast: Standard deviation of brightness inside a frame, mean over frames.
    """

    mean: Floats
    spread: Floats
    contrast: float


@dataclass(frozen=True)
class ChunkDrift:
    """A chunk against the anchor: the first chunk, or the clip that the meter was given.

    Attributes:
        channel_means: Change of each channel's mean, −1 … 1, red, green, blue.
        contrast: Relative change: −1 is flat, 1 doubled. None if the anchor has none.
        identity: Cosine of the embeddings − 1: 0 is the same, −1 a stranger. None if it was not asked for.
        seam_jump: Change into its first frame / median frame change of the clip so far. None for the first chunk, and
            where half of the frames stand still.
    """

    channel_means: tuple[float, float, float]
    contrast: float | None
    identity: float | None
    seam_jump: float | None

    @property
    def channel_mean(self) -> float:
        """The largest change of a channel's mean, 0 … 1."""
        return max(abs(change) for change in self.channel_means)


def appearance_of(frames: Frames) -> Appearance:
    """Raises InvalidRequest unless frames are uint8 [T, H, W, 3] with T ≥ 1."""
    _check(frames)
    # Frame by frame: a chunk as float64 would be eight times its size.
    means = np.array([frame.mean((0, 1), dtype=np.float64) for frame in frames]) / 255
    squares = np.array([np.square(frame, dtype=np.float64).mean((0, 1)) for frame in frames]) / 255**2
    mean = means.mean(0)
    spread = np.sqrt(np.maximum(squares.mean(0) - mean**2, 0))
    contrast = float(np.mean([frame.mean(-1, dtype=np.float64).std() / 255 for frame in frames]))
    return Appearance(mean, spread, contrast)


def matched(frames: Frames, to: Appearance, strength: float = 1.0, own: Appearance | None = None) -> Frames:
    """Frames with each channel's mean and standard deviation brought to the anchor's.

    One and the same for all frames of a chunk: it takes a step in colour between chunks away; a drift inside a chunk
    stays, and where colours drift evenly, a step as large as a chunk's drift comes in at its border.

    Args:
        frames: uint8 [T, H, W, 3].
        strength: 0 leaves them as they are, 1 matches.
        own: Of the whole chunk, where `frames` is a part of it.

    Returns: uint8 [T, H, W, 3]. Raises: InvalidRequest for a strength outside 0 … 1 or other frames.
    """
    if not 0 <= strength <= 1:
        raise InvalidRequest(f"strength = {strength:g} is not possible.", "Choose between 0 and 1.", field="strength")
    own = own or appearance_of(frames)
    gain = np.ones(3)
    np.divide(to.spread, own.spread, out=gain, where=own.spread > 0)
    level = np.arange(256)[:, None] / 255
    wanted = (level - own.mean) * gain.clip(*_GAINS) + to.mean
    table = np.rint(255 * (level + strength * (wanted - level))).clip(0, 255).astype(np.uint8)
    return np.stack([table[frames[..., channel], channel] for channel in range(3)], axis=-1)


def colours_inside(frames: Frames, masks: Masks | None) -> Floats:
    """An embedding without a model: which colours are inside the masks, float64 [512], of length 1; 0 where empty.

    The roots of a histogram, so that the cosine of two is the Bhattacharyya coefficient.
    """
    pixels = frames.reshape(-1, 3) if masks is None else frames[masks]
    red, green, blue = (pixels.astype(np.int64) * _LEVELS // 256).T
    counts = np.bincount((red * _LEVELS + green) * _LEVELS + blue, minlength=_LEVELS**3)
    return np.sqrt(counts / max(1, len(pixels)))


class DriftMeter:
    """Takes chunk after chunk.

    Args:
        anchor: The clip that chunks are compared with; None takes the first chunk.
        anchor_masks: Of that clip.
        embed: Gives the identity of frames, of what is inside the masks where there are any. None takes the colours
            inside the masks, and says nothing about identity where there are none.
        thresholds: For `words`.
    """

    def __init__(
        self,
        anchor: Frames | None = None,
        anchor_masks: Masks | None = None,
        embed: Embed | None = None,
        thresholds: Thresholds | None = None,
    ) -> None:
        self._embed = embed
        self._thresholds = thresholds or Thresholds()
        self._compared_with = "the first chunk" if anchor is None else "the anchor"
        self._anchor = None if anchor is None else appearance_of(anchor)
        self._embedding = None if anchor is None else self._identity(anchor, anchor_masks)
        self._chunks: list[tuple[Appearance, float | None]] = []
        self._changes: list[float] = []
        self._seams: list[float] = []
        self._last: Frames | None = None

    def add(self, frames: Frames, masks: Masks | None = None) -> None:
        """The next chunk. Raises InvalidRequest for other frames than before, or masks that are not theirs."""
        appearance = appearance_of(frames)
        if self._last is not None and frames.shape[1:] != self._last.shape:
            raise InvalidRequest(
                f"A chunk of frames {list(frames.shape[1:])} follows one of {list(self._last.shape)}.",
                "Give all chunks of one film in one size.",
                field="frames",
            )
        embedding = self._identity(frames, masks)
        if self._anchor is None:
            self._anchor, self._embedding = appearance, embedding
        self._chunks.append((appearance, _cosine(embedding, self._embedding)))
        if self._last is not None:
            self._seams.append(_change(self._last, frames[0]))
            self._changes.append(self._seams[-1])
        self._changes += [_change(before, after) for before, after in itertools.pairwise(frames)]
        self._last = frames[-1].copy()  # a view would keep the whole chunk

    @property
    def anchor(self) -> Appearance:
        """What `matched` brings a chunk back to. Raises ValueError before there is one."""
        if self._anchor is None:
            raise ValueError("the meter has seen no chunk and was given no anchor")
        return self._anchor

    def measured(self) -> tuple[ChunkDrift, ...]:
        """All chunks so far."""
        middle = float(np.median(self._changes)) if self._changes else 0.0
        jumps = [None] + [seam / middle if middle else None for seam in self._seams]
        return tuple(
            self._against_anchor(appearance, cosine, jump)
            for (appearance, cosine), jump in zip(self._chunks, jumps[: len(self._chunks)], strict=True)
        )

    def _against_anchor(self, appearance: Appearance, cosine: float | None, jump: float | None) -> ChunkDrift:
        red, green, blue = (float(change) for change in appearance.mean - self.anchor.mean)
        contrast = appearance.contrast / self.anchor.contrast - 1 if self.anchor.contrast else None
        return ChunkDrift((red, green, blue), contrast, None if cosine is None else cosine - 1, jump)

    @property
    def seam_jump(self) -> float | None:
        """The largest of all borders, as DESIGN.md defines it."""
        return max((chunk.seam_jump for chunk in self.measured() if chunk.seam_jump is not None), default=None)

    def words(self) -> list[str]:
        """A sentence for each chunk and measure above its threshold; none where all is well."""
        return [
            f"Chunk {number}: {said}." for number, chunk in enumerate(self.measured(), 1) for said in self._said(chunk)
        ]

    def _said(self, chunk: ChunkDrift) -> list[str]:
        said, limits, other = [], self._thresholds, self._compared_with
        if chunk.channel_mean > limits.channel_mean:
            channel = int(np.argmax(np.abs(chunk.channel_means)))
            change = chunk.channel_means[channel]
            way = "brighter" if change > 0 else "darker"
            said.append(f"{CHANNELS[channel]} is {way} than in {other} by {_percent(change)} of full brightness")
        if chunk.contrast is not None and abs(chunk.contrast) > limits.contrast:
            way = "more" if chunk.contrast > 0 else "less"
            said.append(f"it has {_percent(chunk.contrast)} {way} contrast than {other}")
        if chunk.identity is not None and chunk.identity < -limits.identity:
            said.append(f"what it shows resembles {other} by {_percent(1 + chunk.identity)} only")
        if chunk.seam_jump is not None and chunk.seam_jump > limits.seam_jump:
            said.append(f"its beginning is a visible seam, {chunk.seam_jump:.1f} times a usual frame change")
        return said

    def _identity(self, frames: Frames, masks: Masks | None) -> Floats | None:
        if masks is not None and masks.shape != frames.shape[:3]:
            raise InvalidRequest(
                f"The masks are {list(masks.shape)} for frames {list(frames.shape)}.",
                "Give one mask for each frame, of the frame's height and width.",
                field="masks",
            )
        if self._embed is not None:
            return np.asarray(self._embed(frames, masks), np.float64)
        return None if masks is None else colours_inside(frames, masks)


def _percent(share: float) -> str:
    return f"{100 * abs(share):.0f} %"


def _cosine(a: Floats | None, b: Floats | None) -> float | None:
    """None where there is nothing to compare: not asked for, or nothing inside the masks."""
    if a is None or b is None or not a.any() or not b.any():
        return None
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def _change(before: Frames, after: Frames) -> float:
    """Mean absolute difference of two frames, 0 … 1."""
    return float(np.abs(after.astype(np.int16) - before.astype(np.int16)).mean(dtype=np.float64) / 255)


def _check(frames: Frames) -> None:
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or 0 in frames.shape:
        raise InvalidRequest(
            f"A chunk is {frames.dtype} {list(frames.shape)}.", "Give frames uint8 [T, H, W, 3].", field="frames"
        )
