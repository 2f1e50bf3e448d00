"""Pictures on the way: when they stand, what is refused, and that the video passes through them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engines.backend.registry import ModelRegistry
from engines.context import RunContext
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.spec import SceneSpec, Thing
from engines.errors import InvalidRequest
from engines.image_animation.engine import ImageAnimationEngine
from engines.image_animation.keyframes import keyframes_of
from engines.image_animation.request import ImageAnimationRequest
from engines.media.metadata import read_record
from engines.media.reader import read_clip
from engines.metrics.psnr import pixel_psnr
from engines.task import parse_request

A, B, END = Path("/a.png"), Path("/b.png"), Path("/end.png")


def asked(picture: Path = A, **fields: Any) -> ImageAnimationRequest:
    return parse_request(ImageAnimationRequest, {"picture": picture, "prompt": "a fox slides right", **fields})


def test_pictures_stand_where_their_times_say() -> None:
    request = asked(keyframes=[A, B], keyframe_seconds="0.25, 0.5", end_picture=END)
    assert keyframes_of(request, 17, 24) == {
        6: (A, "keyframes"), 12: (B, "keyframes"), 16: (END, "end_picture")
    }  # fmt: skip
    assert keyframes_of(asked(), 17, 24) == {}


@pytest.mark.parametrize(
    ("fields", "said", "fix"),
    [
        ({"keyframes": [A]}, "1 picture on the way and 0 times", "“0.35”"),
        ({"keyframe_seconds": "0.2"}, "0 pictures on the way and 1 time", "leave the times out"),
        ({"keyframes": [A], "keyframe_seconds": "soon"}, "“soon” are no times", "“0.3, 0.5”"),
        ({"keyframes": [A, B], "keyframe_seconds": "0.5, 0.25"}, "does not come after", "rising times"),
        ({"keyframes": [A, B], "keyframe_seconds": "0.25, 0.251"}, "does not come after", "at least a frame apart"),
        ({"keyframes": [A], "keyframe_seconds": "0"}, "no room", "between 0.04 and 0.67"),
        ({"keyframes": [A], "keyframe_seconds": "2"}, "no room", "or a longer video"),
        ({"keyframes": [A], "keyframe_seconds": "0.667", "end_picture": END}, "no room", "between 0.04 and 0.62"),
    ],
)
def test_what_cannot_stand_there_is_refused(fields: dict[str, Any], said: str, fix: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        keyframes_of(asked(**fields), 17, 24)
    assert refused.value.field == "keyframe_seconds"
    assert said in str(refused.value)
    assert fix in (refused.value.fix or "")


@pytest.mark.parametrize("frames", [17, 44])
def test_the_video_passes_through_the_picture(frames: int, bundled_model: ModelRegistry, tmp_path: Path) -> None:
    thing = Thing(noun="fox", motion="slides right", seed=4)
    truth = render_scene(SceneSpec(scene="snow", actors=(thing,), sound=False, frames=17, seed=5)).frames
    paths = tmp_path / "first.png", tmp_path / "later.png"
    for path, frame in zip(paths, (truth[0], truth[16]), strict=True):
        Image.fromarray(frame).save(path)
    at = 12 if frames == 17 else 36
    clips = []
    for name, further in (("with", {"keyframes": [paths[1]], "keyframe_seconds": f"{at / 24:.3f}"}), ("without", {})):
        request = asked(paths[0], frames=frames, steps=10, export="custom", codec="png", **further)
        result = ImageAnimationEngine(bundled_model).run(request, RunContext(tmp_path / name))
        clips.append(np.asarray(read_clip(result.files[0].path).frames, np.uint8))
    near = [pixel_psnr(clip[at : at + 1], truth[16:17]) for clip in clips]
    assert near[0] > near[1] + 3
    assert near[0] > 18
    record = read_record(tmp_path / "with" / "animated.zip")
    assert len(record.inputs["keyframes"]) == 1
