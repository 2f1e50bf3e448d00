"""What engines share that sample with models of the catalogue: keeping them loaded, what they must do, records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engines import __version__
from engines.backend.catalogue import Catalogue, Feature, ModelCard, load_catalogue
from engines.context import RunContext
from engines.errors import InvalidRequest
from engines.media.metadata import OutputRecord
from engines.task import Request

if TYPE_CHECKING:
    from engines.backend.families.base import Family
    from engines.backend.registry import ModelRegistry


class ModelEngine:
    """Models are kept between runs.

    Args:
        models: Loaded models to share; by default the engine makes a registry at its first run.
    """

    def __init__(self, models: ModelRegistry | None = None) -> None:
        self._models = models

    def _catalogue(self) -> Catalogue:
        return self._models.catalogue if self._models is not None else load_catalogue()

    def _registry(self, context: RunContext) -> ModelRegistry:
        """The worker's models, else the engine's own."""
        if context.models is not None:
            return context.models
        if self._models is None:
            from engines.backend.registry import ModelRegistry

            self._models = ModelRegistry()
        return self._models


def check_token_levels(card: ModelCard, feature: Feature, cannot: str) -> None:
    """Raises: InvalidRequest (field model) for a model that lacks the feature, or takes one noise level for a clip.

    Args:
        cannot: What it cannot do then, behind its title.
    """
    if not card.features.issuperset({feature, Feature.TOKEN_TIMESTEPS}):
        raise InvalidRequest(
            f"{card.title} {cannot}.",
            "Choose a model that takes one noise level for each token, such as the bundled one or LTX-Video.",
            "model",
        )


def model_record(request: Request, family: Family, inputs: Mapping[str, Any]) -> OutputRecord:
    """What a file carries that this model made.

    Args:
        inputs: Field → SHA-256 of its file, or of each of its files.
    """
    from engines.backend.fingerprint import fingerprint

    return OutputRecord(
        framewright=__version__,
        request={"task": request.task, **request.model_dump(mode="json")},
        model={"id": family.card.id, "revision": family.revision},
        fingerprint=fingerprint(family.dtype, family.device),
        inputs=dict(inputs),
    )
