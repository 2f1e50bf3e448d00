"""A mean over clips and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engines.metrics.checks import check_finite


def mean_with_interval(
    values: Sequence[float] | npt.NDArray[np.float64], draws: int = 200, seed: int = 0
) -> tuple[float, float, float]:
    """(mean, low, high): the 95 % interval by the percentile bootstrap (Efron 1979).

    Args:
        values: One number for each clip. A single one is its own interval.
        draws: Resamples with replacement.
        seed: The same values and seed give the same interval.

    Raises: InvalidRequest if there is no value, or one is NaN or infinite.
    """
    numbers = np.asarray(values, dtype=np.float64)
    check_finite(numbers, "values")
    picks = np.random.default_rng(seed).integers(len(numbers), size=(draws, len(numbers)))
    low, high = np.percentile(numbers[picks].mean(1), [2.5, 97.5])
    return float(numbers.mean()), float(low), float(high)
