"""Captions with varied wording for a clip."""

from __future__ import annotations

import numpy as np

from engines.diorama.clip_spec import ClipSpec
from engines.diorama.vocabulary import world

_TEMPLATES = (
    "{thing} {does} {where}",
    "{where}, {thing} {does}",
    "{thing} that {does} {where}",
    "a video of {thing}: {where}, it {does}",
)
_TEMPLATES_PLURAL = (
    "{thing} {does} {where}",
    "{where}, {thing} {does}",
    "{thing} that {does} {where}",
    "a video of {thing}: {where}, they {does}",
)
_STILL_PICTURE = ("{thing} {where}", "{where}, {thing}", "a picture of {thing} {where}")


def caption(spec: ClipSpec, random: np.random.Generator) -> str:
    """One sentence about the clip; a single frame says nothing about motion."""
    words = world()
    noun = words.nouns[spec.noun]
    where = str(random.choice(words.scenes[spec.scene]))
    if spec.frames == 1:
        return str(random.choice(_STILL_PICTURE)).format(thing=noun.with_article, where=where)
    phrasings = words.motions_plural if noun.plural else words.motions
    template = str(random.choice(_TEMPLATES_PLURAL if noun.plural else _TEMPLATES))
    return template.format(thing=noun.with_article, does=str(random.choice(phrasings[spec.motion])), where=where)


def plain_caption(spec: ClipSpec) -> str:
    """The first wording of everything: what benchmarks use as prompts."""
    words = world()
    noun = words.nouns[spec.noun]
    does = (words.motions_plural if noun.plural else words.motions)[spec.motion][0]
    return f"{noun.with_article} {does} {words.scenes[spec.scene][0]}"
