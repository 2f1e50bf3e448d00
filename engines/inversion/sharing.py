"""RF-Edit: what the model saw of the source clip on the way up is shown to it again on the way down.

RF-Solver / RF-Edit (Wang et al. 2024, arXiv:2411.04746, section 3.3): the self-attention values of the noisiest steps,
in the second half of the blocks. Queries and keys stay the edited clip's, so that it may move and look otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engines.backend.attention.feature_store import FeatureStore, When, by_interval, by_sigma
from engines.backend.attention.hooks import Keep, Recall, Where
from engines.sampling.site import Site


@dataclass(frozen=True)
class Sharing:
    """What is kept and shown again.

    Attributes:
        total: Steps of the run.
        steps: How many of them, the noisiest; more keep the source more closely. 0 shares nothing.
        blocks: Of the model; the second half takes part.
        share: 1 replaces the values, below it is a mix.
        by_interval: Keys as the released code does (see engines.backend.attention.feature_store).
    """

    total: int
    steps: int
    blocks: int
    share: float = 1.0
    by_interval: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.steps <= self.total:
            raise ValueError(f"steps = {self.steps}: 0 … {self.total} are allowed")

    def keep(self, store: FeatureStore) -> Keep:
        """For the way up, and for what is asked at its top."""
        noisiest = range(self.total - self.steps, self.total + 1) if self.steps else ()
        return Keep(store, self._where(noisiest), ("value",), self._when(rising=True))

    def recall(self, store: FeatureStore) -> Recall:
        """For the way down."""
        return Recall(store, self._where(range(self.steps)), share=self.share, when=self._when(rising=False))

    def nbytes(self, tokens: int, width: int, stages: int = 2) -> int:
        """What will be kept at most, in half precision.

        Args:
            tokens, width: Of the model's self-attention.
            stages: Evaluations of a step.
        """
        moments = self.steps * stages + 1 if self.steps else 0
        return 2 * tokens * width * moments * len(self._layers)

    @property
    def _layers(self) -> range:
        return range(self.blocks // 2, self.blocks)

    def _where(self, intervals: range | tuple[()]) -> Where:
        return Where(layers=self._layers, intervals=intervals)

    def _when(self, rising: bool) -> Callable[[Site], When]:
        return by_interval(self.total, rising) if self.by_interval else by_sigma
