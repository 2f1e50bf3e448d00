"""What can be said about a request before anything is loaded. No torch here."""

from __future__ import annotations

from engines.adapters import CONTROL
from engines.backend.catalogue import Catalogue, Feature, ModelCard
from engines.backend.model_files import locate
from engines.diorama.prompt_words import unknown_words_sentence
from engines.errors import InvalidRequest
from engines.footage.announcements import hdr_warning
from engines.footage.video import VideoFootage
from engines.media.limits import Limits
from engines.video_editing.fitting import Fit, plan_chunks, plan_fit
from engines.video_editing.followed import depth_of
from engines.video_editing.request import VideoEditingRequest
from engines.video_editing.selected import check_selection

BY_A_MODEL = ("words", "restyle", "follow", "region", "extend")
SELECTING = ("region", "background", "remove", "move")
ANY_LENGTH = ("words", "restyle")  # made in parts, so that a clip may be longer than the model's window
SHAPES = {"wide": 16 / 9, "tall": 9 / 16, "square": 1.0}


def selects(request: VideoEditingRequest) -> bool:
    """Whether the request means a part of the picture."""
    return request.mode in SELECTING or (request.mode == "follow" and request.follow == "shape")


def by_a_model(request: VideoEditingRequest) -> bool:
    """Whether a model makes a part of the result."""
    return request.mode in BY_A_MODEL or finishes(request)


def finishes(request: VideoEditingRequest) -> bool:
    """Whether what was rearranged in pixels is finished by a model."""
    return request.finish and request.mode in ("remove", "move")


def open_video(request: VideoEditingRequest) -> VideoFootage:
    """The part of the video that is meant. Raises: UserError that names the field."""
    return VideoFootage(
        request.video, request.start, request.end, deinterlace=request.deinterlace, limits=Limits(), field="video"
    )


def fit_of(request: VideoEditingRequest, video: VideoFootage, card: ModelCard) -> Fit:
    """How the video becomes the model's clip. Raises: as plan_fit."""
    shape = SHAPES[request.canvas] if request.mode == "extend" else None
    return plan_fit(video, card, shape, in_chunks=request.mode in ANY_LENGTH)


def check_request(request: VideoEditingRequest, catalogue: Catalogue) -> list[str]:
    """Warnings. Raises: UserError if the request cannot be rendered."""
    video = open_video(request)
    said = hdr_warning(video)
    if selects(request):
        check_selection(request, video, catalogue)
    if request.mode == "background":
        _check_background(request)
    if request.mode == "move" and not (request.move_right or request.move_down or request.scale != 1):
        raise InvalidRequest(
            "The thing would stay where it is.", "Say where it goes, or how large it becomes.", "move_right"
        )
    return [*said, *(_check_model(request, video, catalogue) if by_a_model(request) else [])]


def _check_background(request: VideoEditingRequest) -> None:
    if request.background == "picture":
        if request.picture is None:
            raise InvalidRequest(
                "There is no picture for the background.", "Bring a picture, or choose blur or colour.",
                "picture",
            )  # fmt: skip
        VideoFootage(request.picture, limits=Limits(), field="picture")


def _check_model(request: VideoEditingRequest, video: VideoFootage, catalogue: Catalogue) -> list[str]:
    card = catalogue.card(request.model)
    if Feature.TEXT_TO_VIDEO not in card.features:
        raise InvalidRequest(
            f"{card.title} makes nothing from words alone.", "Choose a model that makes video from text.", "model"
        )
    if not request.prompt.strip():
        raise InvalidRequest(
            "The prompt is empty.", "Say what the clip shall show, whole: “a rabbit bounces in the snow”.", "prompt"
        )
    fit = fit_of(request, video, card)
    said = list(fit.warnings)
    if request.mode == "words" and fit.geometry.frames > fit.window:
        said.append(plan_chunks(fit, card.facts.temporal_compression).sentence())
    folder = locate(card)
    if request.mode == "follow":
        CONTROL.folder(card, folder)
        if request.follow == "depth":
            depth_of(request, video)
    unknown = unknown_words_sentence(request.prompt, card, catalogue)
    return [*said, *([unknown] if unknown else []), *(_check_words(request) if request.mode == "words" else [])]


def _check_words(request: VideoEditingRequest) -> list[str]:
    old, said = request.source_prompt.strip(), []
    if request.prompt.strip() == old:
        raise InvalidRequest(
            "Both prompts are the same, so there is nothing to change.",
            "Say in the prompt what shall be there instead.",
            "prompt",
        )
    if not old and request.method in ("difference", "weighed difference", "value sharing"):
        said.append("Without a source prompt the model guesses what the clip shows; more of it may change.")
    if request.method == "value sharing" and request.kept_steps > request.steps:
        said.append(f"Only {request.steps} steps can be kept, because there are no more.")
    return said
