"""What can be said about a request before anything is loaded. No torch here."""

from __future__ import annotations

from engines.backend.catalogue import Catalogue, Feature
from engines.backend.geometry import plan_geometry
from engines.backend.model_files import locate
from engines.backend.step_cache.kinds import refuse
from engines.diorama.prompt_words import unknown_words_sentence
from engines.errors import InvalidRequest
from engines.text_to_video.film import plan_long
from engines.text_to_video.request import TextToVideoRequest


def check_request(request: TextToVideoRequest, catalogue: Catalogue) -> list[str]:
    """Warnings about what will be rounded, is untrained or not understood.

    Raises: InvalidRequest, LimitExceeded or NotAvailable if the request cannot be rendered.
    """
    card = catalogue.card(request.model)
    if Feature.TEXT_TO_VIDEO not in card.features:
        able = [other.id for other in catalogue.values() if Feature.TEXT_TO_VIDEO in other.features]
        raise InvalidRequest(
            f"{card.title} does not make video from text.", f"Choose {', '.join(able)}.", field="model"
        )
    if request.guidance_start > request.guidance_end:
        raise InvalidRequest(
            f"guidance_start = {request.guidance_start:g} lies after guidance_end = {request.guidance_end:g}.",
            f"Choose guidance_start of at most {request.guidance_end:g}.",
            field="guidance_start",
        )
    last = request.seed + request.takes - 1
    if last >= 2**32:
        raise InvalidRequest(
            f"seed = {request.seed} with {request.takes} takes leads beyond the last seed, {2**32 - 1}.",
            f"Choose seed of at most {2**32 - request.takes}.",
            field="seed",
        )
    refuse(request.step_cache, card)
    film = plan_long(request, card)
    if film is None:
        warnings = list(plan_geometry(card, request.height, request.width, request.frames, request.fps).warnings)
    else:
        warnings = [*film.window.warnings, *film.sentences(request)]
    locate(card)
    unknown = unknown_words_sentence(request.prompt, card, catalogue)
    if unknown:
        warnings.append(unknown)
    if request.negative_prompt.strip() and request.guidance_scale == 1:
        warnings.append("The negative prompt has no effect, because a guidance scale of 1 turns guidance off.")
    return warnings
