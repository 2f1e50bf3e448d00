"""What the page says about a request before it is rendered: words that the model does not know, and the time it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from engines.backend.catalogue import load_catalogue
from engines.diorama.vocabulary import unknown_words
from engines.errors import UserError
from studio.jobs.queue import JobQueue
from studio.stage_html import about

BUNDLED_MODEL = "diorama"


def unknown_words_sentence(prompt: str, model: str = BUNDLED_MODEL) -> str:
    """Names the words that a model with a closed vocabulary has never seen, and the model that knows more; else ""."""
    catalogue = load_catalogue()
    if model not in catalogue or catalogue[model].vocabulary is None:
        return ""
    unknown = unknown_words(prompt)
    if not unknown:
        return ""
    named = _listed([f"“{word}”" for word in unknown])
    open_model = next((card for card in catalogue.values() if card.vocabulary is None), None)
    can = f"; {open_model.title} can: {gigabytes(open_model.size_bytes)}, see Models" if open_model else ""
    return f"{named} {'is' if len(unknown) == 1 else 'are'} not in the Diorama{can}."


def gigabytes(size: int) -> str:
    return f"{size / 1e9:.0f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def prompt_warning(prompt: str, model: str = BUNDLED_MODEL) -> str:
    """The line under the prompt, "" if all words are known."""
    sentence = unknown_words_sentence(prompt, model)
    return f'<p class="prompt-warning" role="status">{escape(sentence)}</p>' if sentence else ""


def estimate_line(queue: JobQueue, task: str, values: Mapping[str, Any], owner: str) -> str:
    """Length of the video and time of the render; "" while the form holds something that cannot be rendered."""
    try:
        estimate = queue.estimate(task, {**values, "prompt": str(values.get("prompt") or "").strip() or "-"}, owner)
    except UserError:
        return ""
    frames, fps, takes = values["frames"], values["fps"], values["takes"]
    parts = [f"{frames / fps:.1f} s of video" + (f", {takes} times" if takes > 1 else "")]
    if estimate.seconds is None:
        parts.append("the first render will tell how long it takes")
    else:
        parts.append(f"{about(estimate.seconds)} to render")
    return f'<p class="estimate">{escape(" · ".join(parts))}</p>'
