"""LatentWarp: a clip made anew frame by frame, as pictures, each held to the one before along the source's motion.

Every frame begins at the source's frame under the same noise (SDEdit), sees the keys and values of the first and the
previous frame, and at the noisier steps is drawn to the previous frame carried along the source's optical flow.
LatentWarp (Bao et al. 2023, arXiv:2311.00353), row 57: our latents have cells of 16 pixels, so that a warp of latents
says little of motion; the default warps the decoded clean estimates instead, the others are kept beside it.

Shape legend: H rows, W columns; h, w cells; tokens float32 [1, N, D] with N = h·w; flow float32 [H, W, 2] in pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engines.backend.attention.calls import AttentionCall, AttentionHook, AttentionInputs
from engines.backend.attention.feature_store import FeatureStore
from engines.backend.attention.hooks import FurtherKeys, Keep, Next, Where
from engines.backend.families.base import Family, Frames
from engines.footage.alignment import flow_to
from engines.media.optical_flow import Flow, visible_in_both, warp
from engines.sampling.loop import Velocity, sample
from engines.sampling.noise import INITIAL
from engines.sampling.site import Site
from engines.sampling.solvers import Euler
from engines.video_editing.methods.clip_edit import ClipEdit, How, Words
from engines.video_editing.request import Steadiness

Motion = Callable[[int], tuple[Flow, Flow]]  # frame → flow to the frame before and back again
EARLY = (0.5, 0.95)  # noise levels at which it is carried
EVERY = 3  # steps from one carrying to the next: each decodes and encodes a frame
CUT = 0.4  # share of the picture that must be seen in both frames; below it a new shot begins
STORE_BYTES = 2**29


@dataclass
class _Past:
    """What a frame leaves for the next one.

    Attributes:
        store: Its keys, values and queries.
        estimates: Of the clean frame by step, float32 [H, W, 3].
        states: x by step.
    """

    store: FeatureStore = field(default_factory=lambda: FeatureStore(STORE_BYTES))
    estimates: dict[int, npt.NDArray[np.float32]] = field(default_factory=dict)
    states: dict[int, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Way:
    """How one frame stands in the frame before.

    Attributes:
        flow: To the frame before.
        seen: bool [H, W], where that shows the same.
    """

    flow: Flow
    seen: npt.NDArray[np.bool_]

    @staticmethod
    def along(there: Flow, back: Flow) -> Way:
        return Way(there, visible_in_both(there, back))

    def cells(self, rows: int, columns: int) -> tuple[Tensor, Tensor]:
        """For each of rows × columns cells the nearest one that it comes from, int64 [N], and whether, bool [N]."""
        height, width = self.seen.shape
        blocks = (rows, height // rows, columns, width // columns)
        step = np.rint(self.flow.reshape(*blocks, 2).mean((1, 3)) / (width / columns, height / rows)).astype(np.int64)
        row, column = np.mgrid[0:rows, 0:columns]
        from_row, from_column = row + step[..., 1], column + step[..., 0]
        inside = (from_row >= 0) & (from_row < rows) & (from_column >= 0) & (from_column < columns)
        seen = inside & (self.seen.reshape(blocks).mean((1, 3)) > 0.5)
        index = from_row.clip(0, rows - 1) * columns + from_column.clip(0, columns - 1)
        return torch.from_numpy(index.reshape(-1)), torch.from_numpy(seen.reshape(-1))


def restyle(
    family: Family, frames: Frames, words: Words, how: How, steadiness: Steadiness = "estimates",
    motion: Motion | None = None, on_frame: Callable[[int], None] = lambda done: None,
) -> Iterator[Frames]:  # fmt: skip
    """One frame uint8 [1, H, W, 3] after the other.

    Args:
        frames: Of the source, in a size that the model takes.
        how: Steps, strength, guidance and seed count.
        motion: Default: dense flow between the source's frames.
        on_frame: Called with the frames that are done; may raise to cancel.
    """
    _, height, width, _ = frames.shape
    geometry = family.geometry(height, width, 1, family.card.defaults.fps)
    first: _Past | None = None
    before: _Past | None = None
    for index in range(len(frames)):
        on_frame(index)
        way = None if before is None else Way.along(*(motion or flows_of(frames))(index))
        if way is None or way.seen.mean() < CUT:
            first, before, way = None, None, None
        clean = family.pack(family.encode(frames[index : index + 1]), geometry).values
        edit = ClipEdit(family, geometry, clean, words, how)
        past = _Past()
        made = _Frame(edit, steadiness, way, first, before, past).make()
        if before is not None and before is not first:
            before.store.clear()
        first, before = first or past, past
        yield np.concatenate(list(family.decode(family.unpack(made, geometry))))
    on_frame(len(frames))


def flows_of(frames: Frames) -> Motion:
    """Dense flow from a frame to the one before it, and back."""
    return lambda index: (flow_to(frames[index], frames[index - 1]), flow_to(frames[index - 1], frames[index]))


class _Frame:
    """One frame being made."""

    def __init__(
        self, edit: ClipEdit, steadiness: Steadiness, way: Way | None, first: _Past | None, before: _Past | None,
        past: _Past,
    ) -> None:  # fmt: skip
        self._edit, self._steadiness, self._way = edit, steadiness, way
        self._first, self._before, self._past = first, before, past

    def make(self) -> Tensor:
        """The frame's tokens."""
        edit, sigmas = self._edit, self._edit.sigmas
        level = sigmas[0].to(edit.clean)[None, :, None]
        x = (1 - level) * edit.clean + level * edit.noise(INITIAL)
        velocity = self._steered(edit.velocity(edit.words.target, edit.how.guidance_scale))
        if self._steadiness == "nothing":
            return sample(velocity, x, sigmas, Euler())
        with edit.family.attention(*self._hooks()):
            for interval in range(len(sigmas) - 1):
                x = self._carried(x, interval, float(sigmas[interval].max()))
                x = sample(_at(velocity, interval), x, sigmas[interval : interval + 2], Euler())
        return x

    def _hooks(self) -> list[AttentionHook]:
        names = ("query", "key", "value") if self._steadiness == "queries" else ("key", "value")
        hooks: list[AttentionHook] = [Keep(self._past.store, Where(), names)]
        if self._first is not None and self._before is not None:
            seen = [self._first] if self._first is self._before else [self._first, self._before]
            like = torch.empty(0, dtype=self._edit.family.dtype, device=self._edit.family.device)
            hooks.append(FurtherKeys(_keys_of([past.store for past in seen], like)))
            if self._steadiness == "queries" and self._way is not None:
                hooks.append(_WarpedQueries(self._before.store, self._way))
        return hooks

    def _carried(self, x: Tensor, interval: int, sigma: float) -> Tensor:
        """“Latents”: the state with the one before in the places that it comes from."""
        if self._steadiness != "latents" or not _is_early(interval, sigma):
            return x
        if self._before is not None and self._way is not None:
            there, geometry = self._before.states[interval], self._edit.geometry
            cells, seen = self._way.cells(geometry.latent_height, geometry.latent_width)
            x = torch.where(seen[:, None].to(x.device), there[:, cells.to(x.device)], x)
        self._past.states[interval] = x
        return x

    def _steered(self, velocity: Velocity) -> Velocity:
        """“Estimates”: a velocity that leads to the clean frame as it is with what the one before shows."""

        def steered(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
            v = velocity(x, sigmas, at)
            if self._steadiness != "estimates" or not _is_early(at.interval, at.sigma):
                return v
            level = sigmas.unsqueeze(-1)
            return (x - self._warped(x - level * v, at.interval)) / level

        return steered

    def _warped(self, estimate: Tensor, interval: int) -> Tensor:
        """The estimate, moved by what carrying changes of its picture: what the tokenizer loses stays out of it."""
        family, geometry = self._edit.family, self._edit.geometry
        own = np.concatenate(list(family.decode(family.unpack(estimate, geometry))))
        if self._before is None or self._way is None:
            self._past.estimates[interval] = own[0].astype(np.float32)
            return estimate
        carried = warp(self._before.estimates[interval], self._way.flow)
        mixed = np.where(self._way.seen[..., None], carried, own[0].astype(np.float32))
        self._past.estimates[interval] = mixed
        pictures = np.rint(mixed).clip(0, 255).astype(np.uint8)[None]
        after, as_it_was = (family.pack(family.encode(one), geometry).values for one in (pictures, own))
        return estimate + (after - as_it_was)


@dataclass(frozen=True)
class _WarpedQueries:
    """Where a cell comes from the frame before, that one's query asks (the abstract's literal claim)."""

    store: FeatureStore
    way: Way

    def __call__(self, call: AttentionCall, inputs: AttentionInputs, call_next: Next) -> Tensor:
        if call not in Where() or not _is_early(call.at.interval, call.at.sigma):
            return call_next(inputs)
        own, video = inputs.query, call.layout.video
        cells, seen = (part.to(own.device) for part in self.way.cells(*call.layout.grid[1:]))
        kept = self.store.get(call.at, call.kind, "query", own)[:, video][:, cells]
        query = own.clone()
        query[:, video] = torch.where(seen[:, None, None], kept, own[:, video])
        return call_next(replace(inputs, query=query))


def _keys_of(stores: list[FeatureStore], like: Tensor) -> Callable[[AttentionCall], tuple[Tensor, Tensor] | None]:
    """The video's keys and values of other frames, where this moment was seen there."""

    def further(call: AttentionCall) -> tuple[Tensor, Tensor] | None:
        found = [
            tuple(store.get(call.at, call.kind, name, like)[:, call.layout.video] for name in ("key", "value"))
            for store in stores
            if store.has(call.at, call.kind, "key")
        ]
        if not found:
            return None
        return torch.cat([key for key, _ in found], dim=1), torch.cat([value for _, value in found], dim=1)

    return further


def _is_early(interval: int, sigma: float) -> bool:
    return EARLY[0] <= sigma <= EARLY[1] and interval % EVERY == 0


def _at(velocity: Velocity, interval: int) -> Velocity:
    """Steps that are sampled one by one keep their number."""
    return lambda x, sigmas, at: velocity(x, sigmas, replace(at, interval=interval))
