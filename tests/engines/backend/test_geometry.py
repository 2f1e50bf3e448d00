"""Rounding, refusals and limits of sizes."""

from __future__ import annotations

from typing import Any

import pytest

from engines.backend.catalogue import load_catalogue
from engines.backend.geometry import plan_geometry
from engines.errors import InvalidRequest, LimitExceeded

CATALOGUE = load_catalogue()


@pytest.mark.parametrize(
    ("model", "wanted", "made"),
    [("diorama", 1, 1), ("diorama", 2, 1), ("diorama", 3, 5), ("diorama", 17, 17), ("diorama", 18, 17),
     ("diorama", 19, 21), ("ltx_video", 17, 17), ("ltx_video", 20, 17), ("ltx_video", 21, 25), ("ltx_video", 257, 257)],
)  # fmt: skip
def test_frames_go_to_the_nearest_that_the_model_makes(model: str, wanted: int, made: int) -> None:
    geometry = plan_geometry(CATALOGUE[model], 96, 96, wanted, CATALOGUE[model].defaults.fps)
    assert geometry.frames == made
    assert any(f"{wanted} frames became {made}" in text for text in geometry.warnings) == (wanted != made)


def test_cells_follow_the_compression() -> None:
    geometry = plan_geometry(CATALOGUE["diorama"], 64, 128, 17, 24)
    assert (geometry.latent_frames, geometry.latent_height, geometry.latent_width) == (5, 4, 8)
    assert geometry.tokens == 160


@pytest.mark.parametrize(
    ("change", "field", "fix"),
    [
        ({"width": 100}, "width", "Choose width 96 or 128."),
        ({"height": 16}, "height", "Choose height 32 or 64."),
        ({"frames": 0}, "frames", "Choose frames of at least 1."),
        ({"fps": 0}, "fps", "Choose fps of at least 1."),
    ],
)
def test_impossible_sizes_name_the_possible_ones(change: dict[str, Any], field: str, fix: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        plan_geometry(CATALOGUE["diorama"], **({"height": 96, "width": 96, "frames": 17, "fps": 24} | change))
    assert caught.value.field == field
    assert caught.value.fix == fix


@pytest.mark.parametrize("model", list(CATALOGUE))
def test_what_the_limit_allows_is_really_allowed(model: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        plan_geometry(CATALOGUE[model], 1024, 1024, 10**6 + 1, 24)
    assert caught.value.field == "frames"
    most = int(caught.value.fix.split("at most ")[1].split(" frames")[0])
    assert plan_geometry(CATALOGUE[model], 1024, 1024, most, 24).frames == most
    with pytest.raises(LimitExceeded):
        plan_geometry(CATALOGUE[model], 1024, 1024, most + CATALOGUE[model].facts.temporal_compression, 24)
