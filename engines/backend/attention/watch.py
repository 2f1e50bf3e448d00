"""Which hooks are in force, and where in a run the model is when one of its layers attends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from torch import Tensor

from engines.backend.attention.calls import AttentionCall, AttentionHook, AttentionInputs, Kind, Layout, through
from engines.sampling.site import Site


class Watch:
    """Shared by the processors of a model. The site travels here, not through the model's arguments."""

    def __init__(self, hooks: Sequence[AttentionHook]) -> None:
        self.hooks = tuple(hooks)
        self._at: Site | None = None
        self._grid = (0, 0, 0)

    @contextmanager
    def calling(self, at: Site, grid: tuple[int, int, int]) -> Iterator[None]:
        """While the model is called. grid: T', H', W' of its patches."""
        self._at, self._grid = at, grid
        try:
            yield
        finally:
            self._at = None

    def through(self, layer: int, kind: Kind, inputs: AttentionInputs, text: int) -> Tensor:
        """The answer [B, Q, A, E] of a layer. text: prompt tokens behind the video in the sequence, before it if
        negative.

        Raises: ValueError if the model is called beside its family.
        """
        if self._at is None:
            raise ValueError("attention hooks see calls that come through the family, not the bare model")
        tokens = inputs.query.shape[1]
        video = slice(max(0, -text), tokens - max(0, text))
        words = slice(0, -text) if text < 0 else slice(tokens - text, tokens) if text else None
        call = AttentionCall(replace(self._at, layer=layer), kind, Layout(video, words, self._grid))
        return through(self.hooks, call, inputs)
