"""What somebody drew on some frames of a clip to say which thing is meant: plain data that fits into a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engines.errors import InvalidRequest
from engines.footage.footage import Footage

Kind = Literal["click", "box", "brush", "not brush"]
Place = Annotated[float, Field(ge=-1e6, le=1e6)]
# Boxes smaller than this hold too few pixels to tell a thing's colours from those around it.
SMALLEST_BOX = 4


class Mark(BaseModel):
    """One click, box or stroke on one frame. Places are pixels of the clip, (0, 0) the upper left corner.

    A box says where the whole thing is and begins anew. All other marks amend what was carried to their frame from
    earlier marks: clicks and brushes add, “not brush” takes away; the mask is corrected from there on.

    Attributes:
        frame: Number of the frame, from 0.
        kind: A click on the thing, a box around it, a stroke on it, or a stroke on what does not belong to it.
        points: (x, y) of the click, or of each point of the stroke; none for a box.
        box: (left, top, right, bottom), right and bottom excluded; for a box alone.
        width: Of a stroke in pixels; None takes a 48th of the clip's longer side.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    frame: int = Field(ge=0)
    kind: Kind
    points: tuple[tuple[Place, Place], ...] = Field((), max_length=10_000)
    box: tuple[Place, Place, Place, Place] | None = None
    width: float | None = Field(None, ge=1.0, le=1000.0)

    @model_validator(mode="after")
    def _has_its_places(self) -> Mark:
        if self.kind == "box" and (self.box is None or self.points):
            raise ValueError("a box needs `box` (left, top, right, bottom) and no points")
        if self.kind != "box" and (self.box is not None or not self.points):
            raise ValueError(f"a {self.kind} needs at least one point (x, y) and no box")
        return self


def check_marks(marks: Sequence[Mark], source: Footage, field: str = "marks") -> None:
    """Raises: InvalidRequest if there are none, or one lies outside the clip or the picture, or is too small."""
    if not marks:
        raise InvalidRequest(
            "Nothing is marked.", "Click on the thing, or draw a box around it, in at least one frame.", field
        )
    for mark in marks:
        if mark.frame >= source.count:
            raise InvalidRequest(
                f"A {mark.kind} is on frame {mark.frame}; the clip has the frames 0 to {source.count - 1}.",
                "Mark a frame inside the clip.",
                field,
            )
        places = mark.points if mark.box is None else (mark.box[:2], mark.box[2:])
        for x, y in places:
            # The right and lower border of a box may lie on the picture's border.
            if not (0 <= x <= source.width and 0 <= y <= source.height):
                raise InvalidRequest(
                    f"A {mark.kind} on frame {mark.frame} goes to ({x:g}, {y:g}); the picture has {source.width} × "
                    f"{source.height} pixels, from (0, 0).",
                    "Draw inside the picture.",
                    field,
                )
        if mark.box is not None:
            _check_box(mark.box, mark.frame, field)
    first = min(mark.frame for mark in marks)
    if all(mark.kind == "not brush" for mark in marks if mark.frame == first):
        raise InvalidRequest(
            f"The first marked frame, {first}, says only what does not belong to the thing.",
            "Click on the thing, or draw a box around it, in this frame or an earlier one.",
            field,
        )


def _check_box(box: tuple[float, float, float, float], frame: int, field: str) -> None:
    width, height = box[2] - box[0], box[3] - box[1]
    if min(width, height) < SMALLEST_BOX:
        raise InvalidRequest(
            f"The box on frame {frame} is {width:g} × {height:g} pixels; at least {SMALLEST_BOX} × {SMALLEST_BOX} are "
            "needed.",
            "Draw it from the upper left corner of the thing to its lower right corner.",
            field,
        )
