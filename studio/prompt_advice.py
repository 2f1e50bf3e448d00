"""What the page says about a request before it is rendered: unknown words, what is rounded, the time it takes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from html import escape
from typing import Any

from engines.backend.catalogue import Catalogue, Feature, load_catalogue
from engines.backend.step_cache.kinds import step_caches
from engines.diorama.prompt_words import unknown_words_sentence
from engines.errors import UserError
from engines.task import make_engine, parse_request, request_class


@cache
def catalogue() -> Catalogue:
    """The catalogue as it was when it was first asked for; it changes only with the installation."""
    return load_catalogue()


def models_with(*features: Feature) -> list[tuple[str, str]]:
    """(title, id) of the models that can do all of this."""
    return [(card.title, card.id) for card in catalogue().values() if card.features.issuperset(features)]


def step_cache_choices() -> list[tuple[str, str]]:
    """(label with what it costs, value)."""
    return [("Off: every step is computed", "off"), *((card.label, kind) for kind, card in step_caches().items())]


def prompt_sentence(prompt: str, model: str) -> str:
    """Names the words of the prompt that the model has never seen; "" if there are none."""
    card = catalogue().get(model)
    return unknown_words_sentence(prompt, card, catalogue()) if card else ""


def prompt_warning(prompt: str, model: str) -> str:
    """The line under the prompt, "" if all words are known."""
    sentence = prompt_sentence(prompt, model)
    return f'<p class="prompt-warning" role="status">{escape(sentence)}</p>' if sentence else ""


def settings_advice(task: str, values: Mapping[str, Any]) -> str:
    """What the engine would round or cannot do with these settings, above the Render button; "" if it is content."""
    sentences: list[str] = []
    try:
        request = parse_request(request_class(task), {**values, "prompt": some_prompt(values)})
        sentences = make_engine(task).check(request)
    except UserError as error:
        # What is wrong with a number is said beside its field when Render is pressed; a model that is not here at once.
        sentences = [str(error)] if error.field == "model" else []
    known = prompt_sentence(some_prompt(values), str(values.get("model")))
    lines = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences if sentence != known)
    return f'<ul class="settings-advice" role="status">{lines}</ul>' if lines else ""


def some_prompt(values: Mapping[str, Any]) -> str:
    """An empty prompt is no reason to say nothing about the rest."""
    return str(values.get("prompt") or "").strip() or "a"


def length_words(values: Mapping[str, Any]) -> str:
    """How much video comes out, e.g. "0.7 s of video, 4 times" or "One picture"; "" while the numbers are not there."""
    frames, fps, takes = values.get("frames"), values.get("fps"), values.get("takes")
    if not (frames and fps):
        return ""
    length = "One picture" if frames == 1 else f"{frames / fps:.1f} s of video"
    return length + (f", {takes} times" if takes and takes > 1 else "")
