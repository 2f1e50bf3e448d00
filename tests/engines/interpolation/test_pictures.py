"""Two pictures: whether flow would do, what a model is asked for instead, and what comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engines.backend.registry import ModelRegistry
from engines.context import Progress, RunContext
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.spec import SceneSpec, Thing
from engines.errors import InvalidRequest
from engines.interpolation.engine import InterpolationEngine
from engines.interpolation.pictures import TOO_FAR, backwards, is_too_far
from engines.interpolation.request import InterpolationRequest
from engines.media.metadata import read_record
from engines.media.reader import read_clip
from engines.task import parse_request


@pytest.fixture(scope="module")
def sliding() -> np.ndarray[Any, Any]:
    thing = Thing(noun="fox", motion="slides right", seed=4)
    return render_scene(SceneSpec(scene="snow", actors=(thing,), sound=False, frames=17, seed=5)).frames


@pytest.fixture
def pictures(sliding: np.ndarray[Any, Any], tmp_path: Path) -> tuple[Path, Path]:
    paths = tmp_path / "first.png", tmp_path / "last.png"
    for path, frame in zip(paths, (sliding[0], sliding[-1]), strict=True):
        Image.fromarray(frame).save(path)
    return paths


def asked(pictures: tuple[Path, Path], **fields: Any) -> InterpolationRequest:
    given = {
        "video": pictures[0],
        "second": pictures[1],
        "morph_seconds": 0.7,
        "prompt": "a fox slides right in the snow",
    }
    return parse_request(InterpolationRequest, {**given, "export": "custom", "codec": "png", **fields})


def test_flow_follows_small_steps_and_not_large_ones(sliding: np.ndarray[Any, Any]) -> None:
    assert not is_too_far(sliding[0], sliding[1])
    assert is_too_far(sliding[0], sliding[-1])


def test_words_are_turned_round() -> None:
    assert backwards("a fox slides right, rises and grows") == "a fox slides left, falls and shrinks"
    assert backwards("a copyright of the upright fox") == "a copyright of the upright fox"


def test_the_page_proposes_a_model_where_flow_would_not_do(pictures: tuple[Path, Path]) -> None:
    engine = InterpolationEngine()
    assert TOO_FAR in engine.check(asked(pictures))
    said = engine.check(asked(pictures, between="keyframes", prompt=""))
    assert said == [
        "The clip has 96 × 96 pixels, as Diorama (bundled) makes it.",
        "Without words the model guesses what happens between the pictures.",
    ]
    near = asked((pictures[0], pictures[0]), between="keyframes")
    assert any("little moves" in one for one in engine.check(near))
    with pytest.raises(InvalidRequest) as refused:
        engine.check(asked(pictures, between="keyframes", model="cogvideox_2b"))
    assert refused.value.field == "model"


@pytest.mark.parametrize("way", ["keyframes", "both ends"])
def test_a_model_makes_what_lies_between(
    way: str, pictures: tuple[Path, Path], sliding: np.ndarray[Any, Any], bundled_model: ModelRegistry, tmp_path: Path
) -> None:
    seen: list[Progress] = []
    result = InterpolationEngine(bundled_model).run(
        asked(pictures, between=way, seed=3), RunContext(tmp_path, seen.append)
    )
    made = np.asarray(read_clip(result.files[0].path).frames)
    assert made.shape[1:] == (96, 96, 3)
    assert len(made) in (17, 18)
    assert np.abs(made[0].astype(int) - sliding[0]).mean() < 1
    # Nearer to the truth in the middle than a fade of both ends is.
    middle = sliding[8].astype(int)
    fade = (sliding[0].astype(int) + sliding[-1]) // 2
    assert np.abs(made[8] - middle).mean() < np.abs(fade - middle).mean()
    assert [one.step for one in seen if one.phase == "denoising"] == list(range(1, 21))
    record = read_record(result.files[0].path)
    assert record.model["between"] == "diorama"
    assert set(record.inputs) == {"video", "second"}
