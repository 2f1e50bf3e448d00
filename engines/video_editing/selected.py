"""Which thing a request means: the people of a clip, what words name, what is marked in it, or what a mask shows.

No torch here but where a model reads the words.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from engines.adapters import WORD_SELECTION
from engines.backend.catalogue import Catalogue
from engines.backend.model_files import locate
from engines.diorama.prompt_words import nearest_noun, unknown_words_sentence
from engines.diorama.vocabulary import vocabulary
from engines.errors import InvalidRequest
from engines.footage.footage import Footage
from engines.media.limits import Limits
from engines.selection.background import Mattes
from engines.selection.marks import Mark, check_marks
from engines.selection.mask_video import MaskVideo
from engines.selection.people import PersonMattes, check_weights, require_person
from engines.selection.track import track_marks
from engines.video_editing.request import VideoEditingRequest

if TYPE_CHECKING:
    from engines.backend.registry import ModelRegistry

_MARKS = TypeAdapter(tuple[Mark, ...])
OnStep = Callable[[int, int], None]


def marks_of(text: str) -> tuple[Mark, ...]:
    """The marks that a request holds as JSON. Raises: InvalidRequest naming the first that is wrong."""
    if not text.strip():
        return ()
    try:
        return _MARKS.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = f" {int(first['loc'][0]) + 1}" if first["loc"] and isinstance(first["loc"][0], int) else "s"
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise InvalidRequest(
            f"Mark{place} cannot be read: {reason}.",
            'Give a list such as [{"frame": 0, "kind": "box", "box": [10, 10, 60, 60]}].',
            "marks",
        ) from None


def check_selection(request: VideoEditingRequest, source: Footage, catalogue: Catalogue) -> None:
    """Raises: InvalidRequest, MediaError or NotAvailable if what is meant cannot be found out."""
    if request.selection == "people":
        check_weights()
    elif request.selection == "words":
        _check_words(request, catalogue)
    elif request.selection == "marks":
        check_marks(marks_of(request.marks), source)
    else:
        _mask_of(request, source)


def _check_words(request: VideoEditingRequest, catalogue: Catalogue) -> None:
    if not request.thing.strip():
        raise InvalidRequest("The thing has no name.", "Say which thing is meant: “the fox”.", "thing")
    card = catalogue.card(request.model)
    unknown = unknown_words_sentence(request.thing, card, catalogue)
    if unknown:
        nearest = nearest_noun(request.thing)
        raise InvalidRequest(
            unknown,
            f"Do you mean “the {nearest}”? Else mark the thing on a frame."
            if nearest
            else "Mark the thing on a frame.",
            "thing",
        )
    WORD_SELECTION.folder(card, locate(card))


def _mask_of(request: VideoEditingRequest, source: Footage) -> MaskVideo:
    if request.mask is None:
        raise InvalidRequest(
            "There is no mask.", "Bring a picture or video that is white where the thing is, or choose marks.", "mask"
        )
    return MaskVideo(request.mask, source, Limits())


def mattes_of(
    request: VideoEditingRequest, source: Footage, models: Callable[[], ModelRegistry], folder: Path, on_step: OnStep
) -> Mattes:
    """Where the thing is in every frame.

    Args:
        models: Asked where words are read.
        folder: Keeps what is carried from frame to frame.
        on_step: Called with (steps done, steps in all) while marks are carried or words are read.

    Raises: as check_selection; InvalidRequest if nothing of the kind is seen.
    """
    if request.selection == "words":
        return _named(request, source, models(), on_step)
    if request.selection == "marks":
        return track_marks(source, marks_of(request.marks), folder, on_step)
    if request.selection == "mask":
        return _mask_of(request, source)
    people = PersonMattes(source)
    require_person(people)
    return people


def _named(request: VideoEditingRequest, source: Footage, models: ModelRegistry, on_step: OnStep) -> Mattes:
    from engines.backend.families.video_family import VideoFamily
    from engines.word_selection.find import find_by_words, likeliest, load_head

    family = models.load(request.model)
    assert isinstance(family, VideoFamily)
    head = load_head(WORD_SELECTION.folder(family.card, family.folder))
    try:
        return find_by_words(family, head, source, request.thing.strip(), on_step)
    except InvalidRequest as nothing:
        names = vocabulary()["nouns"] if family.card.vocabulary == "diorama" else []
        shown = likeliest(family, head, source, [f"the {name}" for name in names])
        if shown is None:
            raise
        raise InvalidRequest(
            f"{nothing.message} It seems to show “{shown}”.",
            f"Write “{shown}” if that is meant, or mark the thing on a frame.",
            "thing",
        ) from nothing
