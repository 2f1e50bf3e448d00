"""Diorama-FD: how far a set of clips is from true renders, as a whole.

Shape legend: N, M clips; F features.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from engines.diorama.judge.model import ClipJudge
from engines.errors import InvalidRequest
from engines.metrics.adherence import judge_clips
from engines.metrics.checks import Frames, check_finite

Floats = npt.NDArray[np.float64]


def diorama_fd(judge: ClipJudge, results: Iterable[Frames], truths: Iterable[Frames]) -> float:
    """Fréchet distance between the judge's features of results and of true renders; 0 is the same distribution.

    Few clips make it larger by themselves: compare only numbers from equally many, beside the distance between two
    sets of true renders of that size.

    Args:
        results, truths: Clips as `judge_clips` takes them, at least two of each; true renders of the same prompts.

    Raises: InvalidRequest on fewer than two clips, or clips that the judge cannot read.
    """
    return frechet_distance(
        judge_clips(judge, results).features.double().numpy(), judge_clips(judge, truths).features.double().numpy()
    )


def frechet_distance(a: Floats, b: Floats) -> float:
    """|μ_a − μ_b|² + Tr(Σ_a + Σ_b − 2 (Σ_a^½ Σ_b Σ_a^½)^½), in float64 (Dowson & Landau 1982; Heusel et al. 2017).

    With centred samples A and B the last trace is the sum of the singular values of A·Bᵀ / √((N − 1)(M − 1)). So no
    square root is taken of a covariance, which has not full rank when there are fewer clips than features, and no ridge
    has to be chosen, which would add its own distance.

    Args:
        a, b: float64 [N, F] and [M, F], N and M at least 2.

    Returns: At least 0. Raises: InvalidRequest on too few samples, different F, NaN or infinity.
    """
    for name, values in (("a", a), ("b", b)):
        if values.ndim != 2 or len(values) < 2:
            raise InvalidRequest(
                f"{name} is {list(values.shape)}.", "Give features [N, F] of at least two clips.", field=name
            )
        check_finite(values, name)
    if a.shape[1] != b.shape[1]:
        raise InvalidRequest(
            f"a has {a.shape[1]} features and b has {b.shape[1]}.", "Read both with the same judge.", field="b"
        )
    root_a, root_b = _root(a), _root(b)
    spread = np.square(root_a).sum() + np.square(root_b).sum()
    shared = np.linalg.svd(root_a @ root_b.T, compute_uv=False).sum()
    between = np.square(a.mean(0) - b.mean(0)).sum()
    return max(float(between + spread - 2 * shared), 0.0)


def _root(values: Floats) -> Floats:
    """R [min(N, F), F] with RᵀR = the covariance."""
    centred = (values - values.mean(0)) / np.sqrt(len(values) - 1)
    return np.asarray(np.linalg.qr(centred, mode="r"), dtype=np.float64)
