"""Is it the same thing? A cosine between pictures of the object, scaled: 0 is a stranger, 1 the thing itself.

Shape legend: N pictures, S side of a crop in pixels, F features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from engines.diorama.judge import view
from engines.diorama.judge.model import ClipJudge
from engines.diorama.judge.view import JUDGE_SIDE
from engines.errors import InvalidRequest
from engines.metrics.checks import check_finite

Floats = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class IdentityScale:
    """The cosines that mean 0 and 1.

    Attributes:
        stranger: c₀, mean cosine of wrong sprites to the reference.
        itself: c₁, mean cosine of true renders of the same sprite after the VAE round trip.
    """

    stranger: float
    itself: float


def mask_crop(frame: Picture, mask: npt.NDArray[np.float32] | npt.NDArray[np.bool_]) -> Picture:
    """The object alone on grey, in a square around its mask: the scene must not speak for it.

    Args:
        frame: uint8 [H, W, 3].
        mask: [H, W], coverage 0 … 1 or bool.

    Returns: uint8 [96, 96, 3]. Raises: InvalidRequest on an empty mask or another size.
    """
    inside = np.argwhere(mask > 0.5)
    if mask.shape != frame.shape[:2] or not len(inside):
        raise InvalidRequest(
            f"mask is {list(mask.shape)} with {len(inside)} pixels, for a frame of {list(frame.shape[:2])}.",
            "Give a mask of the frame's size that holds the object.",
            field="mask",
        )
    return view.mask_crop(frame, mask)


@torch.no_grad()
def picture_embedding(judge: ClipJudge, pictures: Picture) -> Floats:
    """What the judge's identity head says of each, float64 [N, F]. Identity is measured with Judge B only.

    Args:
        pictures: uint8 [N, 96, 96, 3], N ≥ 1, as `mask_crop` gives them.

    Raises: InvalidRequest on another shape.
    """
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[1:] != (JUDGE_SIDE, JUDGE_SIDE, 3):
        raise InvalidRequest(
            f"pictures is {pictures.dtype} {list(pictures.shape)}.",
            f"Give uint8 [N, {JUDGE_SIDE}, {JUDGE_SIDE}, 3].",
            field="pictures",
        )
    if not len(pictures):
        raise InvalidRequest("pictures is empty.", "Give at least one picture.", field="pictures")
    return judge.embed(judge.maps(view.as_input(pictures))[1]).double().numpy()


def identity_scale(reference: Floats, strangers: Floats, itself: Floats) -> IdentityScale:
    """Where 0 and 1 lie for one reference.

    Args:
        reference: [F], of the thing.
        strangers: [N, F], of wrong sprites.
        itself: [N, F], of true renders of the same sprite after the VAE round trip.

    Raises: InvalidRequest if the embedding does not hold the thing itself for nearer than strangers, or on NaN.
    """
    scale = IdentityScale(_mean_cosine(strangers, reference), _mean_cosine(itself, reference))
    if scale.itself <= scale.stranger:
        raise InvalidRequest(
            f"The thing itself (cosine {scale.itself:.3f}) is no nearer than strangers ({scale.stranger:.3f}).",
            "Use an embedding that tells them apart, and check the mask crops.",
            field="itself",
        )
    return scale


def identity(results: Floats, reference: Floats, scale: IdentityScale) -> float:
    """(cos(result, reference) − c₀) / (c₁ − c₀), mean over the results: 0 is a stranger, 1 the thing itself.

    May lie outside 0 … 1: below for what is less like it than strangers are, above for what is nearer than its
    own renders.

    Args:
        results: [N, F], N ≥ 1, of the clip's frames.
        reference: [F].

    Raises: InvalidRequest on NaN, or if there is no result.
    """
    return (_mean_cosine(results, reference) - scale.stranger) / (scale.itself - scale.stranger)


def _mean_cosine(embeddings: Floats, reference: Floats) -> float:
    check_finite(embeddings, "embeddings")
    check_finite(reference, "reference")
    lengths = np.linalg.norm(embeddings, axis=1) * np.linalg.norm(reference)
    if not lengths.all():
        raise InvalidRequest("An embedding is zero.", "Look at the mask crops: they may be blank.", field="embeddings")
    return float((embeddings @ reference / lengths).mean())
