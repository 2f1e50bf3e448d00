"""What can be said about a request before anything is loaded. No torch here."""

from __future__ import annotations

from engines.backend.catalogue import Catalogue, Feature
from engines.backend.model_files import locate
from engines.diorama.prompt_words import unknown_words_sentence
from engines.errors import InvalidRequest
from engines.image_animation.keyframes import keyframes_of
from engines.image_animation.picture import open_picture, plan_clip
from engines.image_animation.request import ImageAnimationRequest
from engines.model_engine import check_token_levels


def check_request(request: ImageAnimationRequest, catalogue: Catalogue) -> list[str]:
    """Warnings. Raises: UserError if the request cannot be rendered."""
    card = catalogue.card(request.model)
    check_token_levels(card, Feature.FIRST_FRAME, "cannot begin with a picture here")
    plan = plan_clip(request, open_picture(request.picture, "picture"), card)
    said = list(plan.warnings)
    last = request.seed + request.takes - 1
    if last >= 2**32:
        raise InvalidRequest(
            f"seed = {request.seed} with {request.takes} takes leads beyond the last seed, {2**32 - 1}.",
            f"Choose seed of at most {2**32 - request.takes}.",
            "seed",
        )
    for path, field in keyframes_of(request, plan.frames, card.defaults.fps).values():
        open_picture(path, field)
    locate(card)
    unknown = unknown_words_sentence(request.prompt, card, catalogue)
    if unknown:
        said.append(unknown)
    if request.guidance_scale == 1 and request.method == "joint guidance":
        said.append("A guidance scale of 1 turns guidance off, so that the method makes no difference.")
    if request.movement > 0 and request.method == "picture prior":
        said.append("The picture prior begins at the picture, so that the movement only shows it less clearly.")
    if request.movement > 0 and request.method == "replacement":
        said.append("By replacement the model is not told what is given; the movement only says where it begins.")
    return said
