"""What of a clip is given and what is to be made: the one description that training and sampling share.

A clip's own tokens stand in a grid of S slots × h × w cells, frame-major. What is given is known from its σ of 0 (or a
little noise), token by token. The first frame is slot 0, because a causal tokenizer encodes it alone. Any other single
frame is given as tokens of its own, appended to the grid, with their own time: its slot in the grid holds four frames.

Paper rows 16 (VDT, unified masks), 21 (FVDM, one σ per frame), 24 (STIV, frame replacement), 42 (noise on what is
given). Shape legend: N = S·h·w tokens of the grid, P = h·w tokens of a picture, K keyframes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch

Mode = Literal["nothing", "first frame", "last frame", "first and last frame", "keyframes", "beginning", "region"]
MODES: tuple[Mode, ...] = get_args(Mode)
TIME = 4


@dataclass(frozen=True)
class Grid:
    """A clip's tokens.

    Attributes:
        slots, rows, columns: S, h, w.
        first_slot: Of a window of a longer clip: which slot it begins with; times are kept.
        fps: Frames per second.
    """

    slots: int
    rows: int
    columns: int
    fps: float = 24.0
    first_slot: int = 0

    @property
    def tokens(self) -> int:
        return self.slots * self.rows * self.columns

    @property
    def cells(self) -> int:
        """Tokens of one slot or picture."""
        return self.rows * self.columns

    @property
    def last_frame(self) -> int:
        return TIME * (self.first_slot + self.slots - 1)


@dataclass(frozen=True)
class Given:
    """What is given of one clip.

    Attributes:
        tokens: bool [S, h, w], tokens of the grid that are given.
        keyframes: Numbers of the frames that are given as tokens of their own, in the order in which they are appended.
    """

    tokens: torch.Tensor
    keyframes: tuple[int, ...] = ()

    @property
    def is_anything(self) -> bool:
        return bool(self.tokens.any()) or bool(self.keyframes)


def nothing(grid: Grid) -> Given:
    """Everything is to be made."""
    return Given(torch.zeros(grid.slots, grid.rows, grid.columns, dtype=torch.bool))


def draw_given(mode: Mode, grid: Grid, frames: tuple[int, ...], generator: torch.Generator) -> Given:
    """What is given of a training clip.

    Args:
        frames: Numbers of the frames that there are single encodings of, in rising order; the last is the clip's last.

    Raises: ValueError for a mode that this grid or these frames do not allow.
    """
    given = nothing(grid)
    starts_film = grid.first_slot == 0
    if "first" in mode and not starts_film:
        raise ValueError("a window from the middle of a film has no first frame of its own")
    if mode in ("first frame", "first and last frame"):
        given.tokens[0] = True
    if mode in ("last frame", "first and last frame"):
        return Given(given.tokens, (frames[-1],))
    if mode == "keyframes":
        count = int(torch.randint(1, len(frames) + 1, (), generator=generator))
        chosen = torch.randperm(len(frames), generator=generator)[:count].sort().values
        given.tokens[0] = starts_film and bool(torch.rand((), generator=generator) < 0.5)
        return Given(given.tokens, tuple(frames[int(index)] for index in chosen))
    if mode == "beginning":
        given.tokens[: int(torch.randint(1, grid.slots, (), generator=generator))] = True
    if mode == "region":
        given.tokens[:] = _region(grid, generator)
    return given


def _region(grid: Grid, generator: torch.Generator) -> torch.Tensor:
    """A box of cells, the same in every slot or in some, given or kept back; never everything. bool [S, h, w]."""
    inside = torch.zeros(grid.slots, grid.rows, grid.columns, dtype=torch.bool)
    sides = [int(torch.randint(1, max(2, side), (), generator=generator)) for side in (grid.rows, grid.columns)]
    top, left = (
        int(torch.randint(0, side - length + 1, (), generator=generator))
        for side, length in zip((grid.rows, grid.columns), sides, strict=True)
    )
    inside[:, top : top + sides[0], left : left + sides[1]] = True
    if torch.rand((), generator=generator) < 0.5:
        inside = ~inside
    if grid.slots > 1 and torch.rand((), generator=generator) < 0.3:
        inside[int(torch.randint(0, grid.slots, (), generator=generator)) :] = False
    return inside


def coordinates(grid: Grid, keyframes: tuple[int, ...] = (), cell_pixels: float = 16.0) -> torch.Tensor:
    """Seconds and pixels (down, right) of every token, float32 [3, N + K·P].

    Slot k of a film begins at max(0, 4k − 3) / fps, keyframe t at t / fps, as in diffusers' LTXConditionPipeline.
    """
    slots = range(grid.first_slot, grid.first_slot + grid.slots)
    times = [max(0, TIME * slot - (TIME - 1)) / grid.fps for slot in slots] + [frame / grid.fps for frame in keyframes]
    down = torch.arange(grid.rows) * cell_pixels
    right = torch.arange(grid.columns) * cell_pixels
    axes = torch.meshgrid(torch.tensor(times), down, right, indexing="ij")
    return torch.stack([axis.flatten() for axis in axes])


def token_sigmas(given: Given, sigma: torch.Tensor, noise: float = 0.0) -> torch.Tensor:
    """σ of every token, float32 [N + K·P]: `noise` for what is given, `sigma` for the rest.

    Args:
        sigma: A number, or [S] with one for each slot.
        noise: Of what is given: a little keeps a model from copying it (row 42).
    """
    slots, rows, columns = given.tokens.shape
    wanted = sigma.expand(slots)[:, None, None].expand(slots, rows, columns)
    of_grid = torch.where(given.tokens, torch.full_like(wanted, noise), wanted).flatten()
    return torch.cat([of_grid, torch.full((len(given.keyframes) * rows * columns,), noise)])
