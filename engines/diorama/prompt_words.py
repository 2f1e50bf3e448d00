"""Words that a model with a closed vocabulary has never seen. No torch here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from engines.backend.catalogue import Catalogue, ModelCard
from engines.byte_sizes import spoken_bytes
from engines.diorama.vocabulary import unknown_words, world


def unknown_words_sentence(prompt: str, card: ModelCard, catalogue: Catalogue) -> str:
    """Names the words that the model does not know, and the smallest model that knows more; "" if there are none."""
    unknown = unknown_words(prompt) if card.vocabulary == "diorama" else []
    if not unknown:
        return ""
    able = [other for other in catalogue.values() if other.vocabulary is None]
    open_model = min(able, key=lambda other: other.size_bytes, default=None)
    can = f"; {open_model.title} can: {spoken_bytes(open_model.size_bytes)}, see Models" if open_model else ""
    return (
        f"{_listed([f'“{word}”' for word in unknown])} {'is' if len(unknown) == 1 else 'are'} not in the Diorama{can}."
    )


def nearest_noun(phrase: str) -> str:
    """The thing of the Diorama whose name is spelt most like the phrase; "" if none is."""
    name = re.sub(r"^(the|an?|some)\s+", "", phrase.strip().lower())
    return next(iter(get_close_matches(name, list(world().nouns), n=1)), "")


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
