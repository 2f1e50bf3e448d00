"""What a scene is, as plain data: loadable from YAML or JSON, every field with its range. No numpy here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from engines.diorama.vocabulary import outside, world
from engines.errors import InvalidRequest, MediaError

Colour = Literal["red", "yellow", "green", "blue", "purple", "pink", "white", "black"]
PatternKind = Literal[
    "plain", "stripes", "upright stripes", "slanted stripes", "dots", "checks", "zigzags", "hearts", "stars", "halves"
]
Action = Literal["stands still", "walks left", "walks right", "waves", "dances", "jumps", "claps"]
Relation = Literal["left of", "right of", "above", "below", "in front of"]
Style = Literal["plain", "pencil", "pixel", "night"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
LARGEST_SIDE, MOST_FRAMES = 1024, 257


class Plain(BaseModel):
    """Frozen, and without fields that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Region(Plain):
    """Where an object may be: a rectangle of the frame, in shares of its width and height."""

    left: Share = 0.0
    top: Share = 0.0
    width: float = Field(1.0, gt=0.0, le=1.0)
    height: float = Field(1.0, gt=0.0, le=1.0)

    @model_validator(mode="after")
    def _is_inside(self) -> Region:
        if self.left + self.width > 1.0001 or self.top + self.height > 1.0001:
            raise ValueError("the region leaves the frame")
        return self


class Placed(Plain):
    """What all objects have.

    Attributes:
        depth: Distance from the camera; the background stands at BACKGROUND_DEPTH. Nearer objects hide farther ones.
        region: Where it moves.
        largeness: Size relative to what the region would give it.
        seed: Of its place, size and timing.
        hue: Degrees that its colours are turned by: a recoloured twin differs in this alone.
    """

    depth: float = Field(3.0, ge=1.0, le=7.5)
    region: Region = Region()
    largeness: float = Field(1.0, gt=0.1, le=2.0)
    seed: int = Field(0, ge=0, lt=2**32)
    hue: float = Field(0.0, ge=-180.0, le=180.0)


class Thing(Placed):
    """A sprite of the vocabulary or from outside of it, and how it moves."""

    kind: Literal["thing"] = "thing"
    noun: str
    motion: str = "stays still"

    @field_validator("noun")
    @classmethod
    def _is_drawn(cls, noun: str) -> str:
        if noun not in world().nouns and noun not in outside():
            raise ValueError(f"there is no sprite “{noun}”; python -m engines.diorama words lists them")
        return noun

    @field_validator("motion")
    @classmethod
    def _is_known(cls, motion: str) -> str:
        if motion not in world().motions:
            raise ValueError(f"there is no motion “{motion}”; choose one of: {', '.join(world().motions)}")
        return motion


class Garment(Plain):
    """What a figure wears: a pattern of one or two colours."""

    kind: Literal["shirt", "dress"] = "shirt"
    pattern: PatternKind = "plain"
    colour: Colour = "red"
    second: Colour = "white"

    @model_validator(mode="after")
    def _differs(self) -> Garment:
        if self.pattern != "plain" and self.colour == self.second:
            raise ValueError("a pattern needs two different colours")
        return self


class Figure(Placed):
    """A jointed paper doll."""

    kind: Literal["figure"] = "figure"
    action: Action = "stands still"
    garment: Garment = Garment()


class Portrait(Placed):
    """A face whose mouth follows the loudness of a voice. `speaks` False keeps it shut."""

    kind: Literal["portrait"] = "portrait"
    speaks: bool = True


Actor = Annotated[Thing | Figure | Portrait, Field(discriminator="kind")]


class Camera(Plain):
    """How the camera moves over the clip, from rest; each eased in and out.

    Attributes:
        pan: (right, down) as shares of the frame's shorter side, at the depth of the background.
        zoom: Focal length at the end relative to the beginning.
        roll: Degrees, clockwise as seen.
        travel: Towards the scene, in units of depth: what is near grows more than what is far.
    """

    pan: tuple[float, float] = (0.0, 0.0)
    zoom: float = Field(1.0, ge=0.5, le=2.0)
    roll: float = Field(0.0, ge=-45.0, le=45.0)
    travel: float = Field(0.0, ge=-1.0, le=0.8)

    @property
    def moves(self) -> bool:
        return self != Camera()


class Band(Plain):
    """A soft strip of ground or bushes in front of the background, for parallax and for hiding behind.

    Attributes:
        top: Its upper edge, share of the frame's height.
    """

    depth: float = Field(5.0, ge=1.0, le=7.5)
    top: float = Field(0.8, ge=0.3, le=1.0)
    colour: Colour = "green"
    seed: int = Field(0, ge=0, lt=2**32)


class Light(Plain):
    """brightness multiplies, warmth from −1 (blue) to 1 (orange)."""

    brightness: float = Field(1.0, ge=0.2, le=1.5)
    warmth: float = Field(0.0, ge=-1.0, le=1.0)


class Degradation(Plain):
    """What a bad camera or a bad file does to the finished frames.

    Attributes:
        blur: Standard deviation in pixels.
        noise: Standard deviation in grey levels.
        shrink: Sides are divided by it and enlarged again.
        quality: Of JPEG, 100 for none.
    """

    blur: float = Field(0.0, ge=0.0, le=5.0)
    noise: float = Field(0.0, ge=0.0, le=60.0)
    shrink: float = Field(1.0, ge=1.0, le=8.0)
    quality: int = Field(100, ge=5, le=100)


class SceneSpec(Plain):
    """One shot. The same spec gives the same bytes.

    Attributes:
        scene: Name of the background.
        actors: In any order; `depth` decides who hides whom.
        sound: Whether what happens is heard.
        seed: Of the background.
    """

    scene: str = "field"
    actors: tuple[Actor, ...] = Field((), max_length=8)
    bands: tuple[Band, ...] = Field((), max_length=4)
    camera: Camera = Camera()
    light: Light = Light()
    style: Style = "plain"
    degradation: Degradation = Degradation()
    sound: bool = True
    frames: int = Field(17, ge=1, le=MOST_FRAMES)
    height: int = Field(96, ge=32, le=LARGEST_SIDE)
    width: int = Field(96, ge=32, le=LARGEST_SIDE)
    fps: int = Field(24, ge=1, le=60)
    seed: int = Field(0, ge=0, lt=2**32)

    @field_validator("scene")
    @classmethod
    def _is_known(cls, scene: str) -> str:
        if scene not in world().scenes:
            raise ValueError(f"there is no scene “{scene}”; choose one of: {', '.join(world().scenes)}")
        return scene


class FilmSpec(Plain):
    """Shots one after another with cuts between them; all of one size and rate."""

    shots: tuple[SceneSpec, ...] = Field(min_length=1, max_length=20)

    @model_validator(mode="after")
    def _is_one_film(self) -> FilmSpec:
        if len({(shot.height, shot.width, shot.fps) for shot in self.shots}) > 1:
            raise ValueError("all shots need the same height, width and fps")
        return self


def read_film(path: Path) -> FilmSpec:
    """A film from a YAML or JSON file: {shots: […]}, or the fields of a single scene.

    Raises: MediaError if the file cannot be read; InvalidRequest that names the field.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise MediaError(f"“{path.name}” cannot be read: {error}.", "Give a YAML or JSON file.", "spec") from error
    return parse_film(data)


def parse_film(data: Any) -> FilmSpec:
    """Raises: InvalidRequest that names the first field that is wrong."""
    if not isinstance(data, dict):
        raise InvalidRequest("The description is not a list of named fields.", "Begin with “scene: field”.", "spec")
    try:
        return FilmSpec.model_validate(data if "shots" in data else {"shots": [data]})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        kinds = {"thing", "figure", "portrait"}
        where = ".".join(str(part) for part in first["loc"] if part not in kinds)
        where = where.removeprefix("shots.0.") if "shots" not in data else where
        reason = first["msg"].removeprefix("Value error, ")
        raise InvalidRequest(
            f"{where or 'The description'} is not allowed: {reason[:1].lower() + reason[1:]}.",
            "Correct this field; docs/DIORAMA.md lists all of them.",
            where or ("shots" if "shots" in data else "spec"),
        ) from None
