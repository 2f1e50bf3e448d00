"""Two pictures and a model: the size and length of what it makes, and whether flow would do. No torch here.

Shape legend: H rows, W columns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from engines.backend.catalogue import Catalogue, Feature
from engines.backend.geometry import LatentGeometry, plan_geometry
from engines.backend.model_files import locate
from engines.diorama.prompt_words import unknown_words_sentence
from engines.footage.footage import Footage
from engines.footage.framing import Picture
from engines.footage.sizes import size_like
from engines.interpolation.request import InterpolationRequest
from engines.long_video.choice import window_frames
from engines.media.optical_flow import optical_flow, visible_in_both
from engines.model_engine import check_token_levels

SIDE = 128  # pixels of the longer side at which flow is measured
FAR = 0.12  # of that side: farther than flow follows well
LOST = 0.35  # share of the pixels that go nowhere in the other picture
# Words that mean the opposite when a clip runs backwards.
_OPPOSITES = (("left", "right"), ("rises", "falls"), ("grows", "shrinks"), ("up", "down"), ("closer", "away"))


@dataclass(frozen=True)
class PicturePlan:
    """What the model makes.

    Attributes:
        fps: So that it lasts as long as wanted.
    """

    geometry: LatentGeometry
    fps: Fraction


def plan_pictures(request: InterpolationRequest, source: Footage, catalogue: Catalogue) -> PicturePlan:
    """Raises: InvalidRequest for a model that cannot be given pictures."""
    card = catalogue.card(request.model)
    check_token_levels(card, Feature.FIRST_FRAME, "cannot be given two pictures here")
    height, width = size_like(source.width / source.height, card)
    wanted = round(request.morph_seconds * card.defaults.fps) + 1
    geometry = plan_geometry(card, height, width, max(5, min(wanted, window_frames(card))), card.defaults.fps)
    seconds = Fraction(request.morph_seconds).limit_denominator(1000)
    return PicturePlan(geometry, Fraction(geometry.frames - 1) / seconds)


def said_of_pictures(request: InterpolationRequest, source: Footage, catalogue: Catalogue) -> list[str]:
    """Warnings. Raises: as plan_pictures; NotAvailable for weights that are not here."""
    first, last = (np.asarray(frame, np.uint8) for frame in source.frames(range(2)))
    far = is_too_far(first, last)
    if request.between == "flow":
        return [TOO_FAR] if far else []
    plan, card = plan_pictures(request, source, catalogue), catalogue.card(request.model)
    locate(card)
    said = [
        f"The clip has {plan.geometry.width} × {plan.geometry.height} pixels, as {card.title} makes it.",
        "" if far else "Between these pictures little moves: “flow” is sharper and keeps their size.",
        "" if request.prompt.strip() else "Without words the model guesses what happens between the pictures.",
        unknown_words_sentence(request.prompt, card, catalogue),
    ]
    return [one for one in said if one]


TOO_FAR = (
    "Between these pictures things go farther than flow can follow: “keyframes” lets a model make what lies between."
)


def is_too_far(first: Picture, last: Picture) -> bool:
    """Whether pixels move too far, or too many are lost, for optical flow to lead from one to the other."""
    small = [_small(picture) for picture in (first, last)]
    forward, backward = optical_flow(*small), optical_flow(*reversed(small))
    seen = visible_in_both(forward, backward)
    moved = np.linalg.norm(forward, axis=-1)[seen]
    far = float(np.quantile(moved, 0.98)) if len(moved) else 0.0
    return far > FAR * SIDE or float(1 - seen.mean()) > LOST


def backwards(prompt: str) -> str:
    """The prompt of the clip that runs backwards: left becomes right, what rises falls."""
    opposite = {one: other for pair in _OPPOSITES for one, other in (pair, pair[::-1])}
    return re.sub(r"\b(" + "|".join(opposite) + r")\b", lambda found: opposite[found[0]], prompt)


def _small(picture: Picture) -> Picture:
    share = SIDE / max(picture.shape[:2])
    size = (max(16, round(picture.shape[1] * share)), max(16, round(picture.shape[0] * share)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
