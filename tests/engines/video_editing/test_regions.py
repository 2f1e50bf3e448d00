"""A part is made anew and the rest stays to the bit; a larger canvas holds the whole picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from engines.backend.catalogue import load_catalogue
from engines.backend.families.base import Family
from engines.backend.loading import load_family
from engines.context import Progress, RunContext
from engines.errors import InvalidRequest
from engines.footage.footage import ClipFootage
from engines.media.clip import Clip
from engines.task import parse_request
from engines.video_editing.fitting import fitted_masks, inside_canvas, plan_fit
from engines.video_editing.regions import laid_over, made_cells, make_region
from engines.video_editing.request import VideoEditingRequest
from tests.engines.tiny_models import TINY, card_for

CARD = load_catalogue().card("diorama")


@pytest.fixture(scope="module", params=["ltx", "wan"])
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Family:
    model, save = TINY[request.param]
    folder = save(tmp_path_factory.mktemp("model"))
    return load_family(card_for(folder, model), folder, torch.device("cpu"), torch.float32)


def footage(frames: int, height: int, width: int) -> ClipFootage:
    clip = np.random.default_rng(1).integers(0, 256, (frames, height, width, 3), np.uint8)
    return ClipFootage(Clip(clip, Fraction(24)))


def test_cells_that_a_mask_touches_are_made_in_the_slots_that_it_is_in() -> None:
    geometry = plan_fit(footage(9, 96, 96), CARD).geometry
    masks = np.zeros((9, 96, 96), np.float32)
    masks[0, 20:30, 20:30] = 1
    masks[5, 40:50, 0:10] = 1
    made = made_cells(masks, geometry, 4)
    assert made.shape == (3, 6, 6)
    assert made[0].nonzero().tolist() == [[1, 1]]
    assert not made[1].any()
    assert made[2].nonzero().tolist() == [[2, 0], [3, 0]]


def test_what_is_not_selected_stays_to_the_bit(family: Family) -> None:
    geometry = family.geometry(64, 96, 9, 16)
    frames = np.random.default_rng(0).integers(0, 256, (9, 64, 96, 3), np.uint8)
    masks = np.zeros((9, 64, 96), np.float32)
    masks[:, :, :32] = 1
    request = parse_request(VideoEditingRequest, {"video": "a.mp4", "mode": "region", "prompt": "a fox", "steps": 2})
    seen: list[Progress] = []
    made = make_region(family, request, geometry, frames, masks, RunContext(Path(), seen.append))
    np.testing.assert_array_equal(made[:, :, 48:], frames[:, :, 48:])
    assert np.abs(made[:, :, :30].astype(int) - frames[:, :, :30]).mean() > 20
    assert [one.step for one in seen if one.phase == "denoising"] == [1, 2]


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_nothing_or_everything_is_no_region(family: Family, value: float) -> None:
    geometry = family.geometry(64, 96, 9, 16)
    frames, masks = np.zeros((9, 64, 96, 3), np.uint8), np.full((9, 64, 96), value, np.float32)
    request = parse_request(VideoEditingRequest, {"video": "a.mp4", "mode": "region", "prompt": "a fox"})
    with pytest.raises(InvalidRequest, match="of what the model sees") as caught:
        make_region(family, request, geometry, frames, masks, RunContext(Path()))
    assert caught.value.field == "selection"


def test_the_border_of_what_was_made_is_soft() -> None:
    frames, made = np.zeros((1, 96, 96, 3), np.uint8), np.full((1, 96, 96, 3), 200, np.uint8)
    masks = np.zeros((1, 96, 96), np.float32)
    masks[0, 40:60, 40:60] = 1
    row = laid_over(frames, made, masks)[0, 50, :, 0].astype(int)
    assert (row[40:60] == 200).all()
    assert row[20] == 0
    assert np.abs(np.diff(row)).max() < 120


def test_a_larger_canvas_holds_the_whole_picture_in_its_middle() -> None:
    source = footage(6, 96, 96)
    fit = plan_fit(source, CARD, 16 / 9)
    frames, beyond = inside_canvas(source, fit)
    assert frames.shape == (9, 64, 128, 3)
    assert beyond.shape == (9, 64, 128)
    assert (beyond[:, :, 32:96] == 0).all()
    assert (beyond[:, :, :32] == 1).all()
    assert (beyond[:, :, 96:] == 1).all()
    np.testing.assert_array_equal(frames[:, :, 0], frames[:, :, 32])


def test_masks_are_cut_as_their_frames_are() -> None:
    source = footage(2, 100, 300)
    fit = plan_fit(source, CARD)
    matte = np.zeros((100, 300), np.float32)
    matte[:, :150] = 1
    masks = fitted_masks(iter([matte, matte]), fit)
    assert masks.shape == (5, 64, 128)
    assert (masks[:, :, :62] > 0.99).all()
    assert (masks[:, :, 66:] < 0.01).all()
