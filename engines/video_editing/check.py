"""What can be said about a request before anything is loaded. No torch here."""

from __future__ import annotations

from engines.backend.catalogue import Catalogue, Feature
from engines.backend.model_files import locate
from engines.errors import InvalidRequest
from engines.footage.announcements import hdr_warning
from engines.footage.video import VideoFootage
from engines.media.limits import Limits
from engines.video_editing.fitting import plan_fit
from engines.video_editing.request import VideoEditingRequest
from engines.video_editing.selected import check_selection


def open_video(request: VideoEditingRequest) -> VideoFootage:
    """The part of the video that is meant. Raises: UserError that names the field."""
    return VideoFootage(
        request.video, request.start, request.end, deinterlace=request.deinterlace, limits=Limits(), field="video"
    )


def check_request(request: VideoEditingRequest, catalogue: Catalogue) -> list[str]:
    """Warnings. Raises: UserError if the request cannot be rendered."""
    video = open_video(request)
    if request.mode != "words":
        check_selection(request, video)
        if request.mode == "background":
            _check_background(request)
        if request.mode == "move" and not (request.move_right or request.move_down or request.scale != 1):
            raise InvalidRequest(
                "The thing would stay where it is.", "Say where it goes, or how large it becomes.", "move_right"
            )
        return hdr_warning(video)
    return [*hdr_warning(video), *_check_words(request, video, catalogue)]


def _check_background(request: VideoEditingRequest) -> None:
    if request.background == "picture":
        if request.picture is None:
            raise InvalidRequest(
                "There is no picture for the background.", "Bring a picture, or choose blur or colour.",
                "picture",
            )  # fmt: skip
        VideoFootage(request.picture, limits=Limits(), field="picture")


def _check_words(request: VideoEditingRequest, video: VideoFootage, catalogue: Catalogue) -> list[str]:
    card = catalogue.card(request.model)
    if Feature.TEXT_TO_VIDEO not in card.features:
        raise InvalidRequest(
            f"{card.title} makes nothing from words alone.", "Choose a model that makes video from text.", "model"
        )
    new, old = request.prompt.strip(), request.source_prompt.strip()
    if not new:
        raise InvalidRequest(
            "The prompt is empty.", "Say what the clip shall show, whole: “a rabbit jumps in the snow”.", "prompt"
        )
    if new == old:
        raise InvalidRequest(
            "Both prompts are the same, so there is nothing to change.",
            "Say in the prompt what shall be there instead.",
            "prompt",
        )
    said = list(plan_fit(video, card).warnings)
    locate(card)
    if not old and request.method in ("difference", "weighed difference", "value sharing"):
        said.append("Without a source prompt the model guesses what the clip shows; more of it may change.")
    if request.method == "value sharing" and request.kept_steps > request.steps:
        said.append(f"Only {request.steps} steps can be kept, because there are no more.")
    return said
