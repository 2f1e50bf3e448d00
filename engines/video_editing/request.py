"""What the Edit tab, the API and the command line may ask for. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from engines.footage.fields import ExportFields, FootageFields

Mode = Literal["words", "restyle", "follow", "region", "extend", "background", "remove", "move"]
Canvas = Literal["wide", "tall", "square"]
Selection = Literal["people", "words", "marks", "mask"]
Method = Literal["value sharing", "difference", "weighed difference", "drawn to source", "noising"]
Followed = Literal["edges", "shape", "depth"]
Steadiness = Literal["estimates", "queries", "latents", "keys", "nothing"]
Solver = Literal["automatic", "euler", "rf_solver", "fireflow", "uni_inv", "fixed_point", "reversible_leapfrog"]
Background = Literal["blur", "colour", "picture"]


class VideoEditingRequest(FootageFields, ExportFields):
    """Changes what a video shows and leaves the rest alone."""

    task: ClassVar[str] = "video_editing"

    mode: Mode = Field(
        "words",
        description="“Words” changes what the clip shows by a model that knows it, “restyle” makes every frame anew as "
        "a picture of another look and holds it to the one before, “follow” makes a new clip that has the edges, the "
        "depth or the shape of this one, “region” makes the selected part of "
        "the picture anew, “extend” makes what lies beyond its borders. “Background”, "
        "“remove” and “move” are for any footage: they blur or replace what is behind a thing, take it away, or put it "
        "elsewhere.",
        json_schema_extra={"layer": "main"},
    )
    prompt: str = Field(
        "", max_length=1000,
        description="What the clip shall show, whole: “a rabbit bounces in the snow”.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
    source_prompt: str = Field(
        "", max_length=1000,
        description="Words: what the clip shows now. The more alike both are, the more stays; empty is possible.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
    model: str = Field(
        "diorama",
        description="Which model edits. The bundled one knows the Diorama and nothing else.",
        json_schema_extra={"layer": "advanced", "choices_from": "models"},
    )
    strength: float = Field(
        0.9, gt=0.0, le=1.0,
        description="Words: how much of the clip may be lost on the way: 1 is all of it, lower keeps more.",
        json_schema_extra={"layer": "look"},
    )  # fmt: skip
    kept_steps: int = Field(
        3, ge=0, le=100,
        description="Words: in so many of the first steps the model sees the old clip again. More keeps more of it.",
        json_schema_extra={"layer": "look"},
    )  # fmt: skip
    hold: float = Field(
        1.0, ge=0.0, le=1.0, multiple_of=0.05,
        description="Words: how firmly “value sharing” holds to the clip what both prompts agree on, such as the "
        "background. Not with the reversible leapfrog.",
        json_schema_extra={"layer": "look"},
    )  # fmt: skip
    method: Method = Field(
        "value sharing",
        description="Words: how it is edited. “Value sharing” inverts the clip and shows the model its values again "
        "(RF-Edit), “difference” moves the clip by what both prompts differ in (FlowEdit), “weighed difference” does "
        "so after inverting (Uni-Edit), “drawn to source” is RF-Inversion, “noising” is SDEdit.",
        json_schema_extra={"layer": "quality"},
    )
    change: float = Field(
        0.6, gt=0.0, le=1.0,
        description="Restyle, and what a model finishes: how far a frame may leave the clip's: at 0.4 little changes, "
        "from 0.8 on much is lost.",
        json_schema_extra={"layer": "look"},
    )  # fmt: skip
    steadiness: Steadiness = Field(
        "estimates",
        description="Restyle: what of the frame before is carried along the clip's motion: the clean picture as far as "
        "it can be guessed (“estimates”), what the model asks (“queries”), the noisy state (“latents”). “Keys” only "
        "lets it be seen, “nothing” leaves every frame alone.",
        json_schema_extra={"layer": "quality"},
    )
    follow: Followed = Field(
        "edges",
        description="Follow: what of the clip is followed: its edges, the shape of the thing that is selected, or the "
        "depth that a video of yours shows.",
        json_schema_extra={"layer": "main"},
    )
    closely: float = Field(
        1.0, ge=0.1, le=2.0, multiple_of=0.05,
        description="Follow: how closely: lower leaves the prompt more room.", json_schema_extra={"layer": "look"},
    )  # fmt: skip
    depth: Path | None = Field(
        None,
        description="Follow: how far everything is, near in white: one picture, or a video as long as the clip.",
        json_schema_extra={"layer": "main", "input": "video"},
    )
    solver: Solver = Field(
        "automatic",
        description="Words: how the clip is inverted by “value sharing”. Automatic takes FireFlow below 24 model calls "
        "and RF-Solver from there on.",
        json_schema_extra={"layer": "quality"},
    )
    steps: int = Field(
        24,
        ge=2,
        le=200,
        description="Steps; of “words” of each way.",
        json_schema_extra={"layer": "quality"},
    )
    guidance_scale: float = Field(
        4.0, ge=1.0, le=20.0, description="How closely the prompt is followed.",
        json_schema_extra={"layer": "quality"},
    )  # fmt: skip
    seed: int = Field(
        0, ge=0, le=2**32 - 1,
        description="Start of the random numbers. The same request and seed give the same video.",
        json_schema_extra={"layer": "main", "widget": "seed"},
    )  # fmt: skip
    report: bool = Field(
        True,
        description="Words: also measure how faithfully the clip was inverted; takes about as long again.",
        json_schema_extra={"layer": "advanced"},
    )
    canvas: Canvas = Field(
        "wide", description="Extend: the shape that the picture becomes.", json_schema_extra={"layer": "main"}
    )
    selection: Selection = Field(
        "people",
        description="Which thing is meant: the people, what words name, what is marked, or what a mask shows in white.",
        json_schema_extra={"layer": "main"},
    )
    thing: str = Field(
        "", max_length=200,
        description="Which thing is meant, in words that the model knows: “the fox”.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
    marks: str = Field(
        "", max_length=200_000,
        description="Clicks, boxes and strokes that say which thing is meant, as JSON: "
        '[{"frame": 0, "kind": "box", "box": [left, top, right, bottom]}]. Kinds: click, box, brush, not brush.',
        json_schema_extra={"layer": "advanced"},
    )  # fmt: skip
    mask: Path | None = Field(
        None, description="A mask of the thing: one picture, or a video as long as the clip, white on black.",
        json_schema_extra={"layer": "main", "input": "video"},
    )  # fmt: skip
    move_right: float = Field(
        0.0, ge=-2.0, le=2.0, multiple_of=0.01,
        description="Move: to the right by so many widths of the picture; negative is to the left.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
    move_down: float = Field(
        0.0, ge=-2.0, le=2.0, multiple_of=0.01,
        description="Move: down by so many heights of the picture; negative is up.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
    scale: float = Field(
        1.0, ge=0.1, le=5.0, multiple_of=0.05, description="Move: how large the thing becomes.",
        json_schema_extra={"layer": "main"},
    )  # fmt: skip
    copy_thing: bool = Field(
        False, description="Move: also leave the thing where it is.", json_schema_extra={"layer": "main"}
    )
    finish: bool = Field(
        False,
        description="Remove, move: let a model that knows the clip finish it, so that shadows go along and holes get "
        "what belongs there. The prompt says what the clip shows then.",
        json_schema_extra={"layer": "main"},
    )
    background: Background = Field(
        "blur",
        description="Background: what becomes of it: blurred, one colour, or another picture.",
        json_schema_extra={"layer": "main"},
    )
    blur: float = Field(
        0.5, ge=0.0, le=1.0, multiple_of=0.05,
        description="Background: how strongly it is blurred.", json_schema_extra={"layer": "look"},
    )  # fmt: skip
    colour: str = Field(
        "#00b140", pattern=r"^#[0-9a-fA-F]{6}$",
        description="Background: its colour as #rrggbb; the one it begins with is the green of film studios.",
        json_schema_extra={"layer": "look"},
    )  # fmt: skip
    picture: Path | None = Field(
        None, description="Background: the picture that takes its place, cut to the shape of the video.",
        json_schema_extra={"layer": "look", "input": "image"},
    )  # fmt: skip


REQUEST = VideoEditingRequest
