"""Frames made one after the other: what they take from the one before, and what they must not."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
import torch

from engines.backend.families.base import Family, Frames
from engines.backend.loading import load_family
from engines.errors import Cancelled
from engines.video_editing.methods.clip_edit import How, Words
from engines.video_editing.methods.frame_by_frame import Way, flows_of, restyle
from engines.video_editing.request import Steadiness
from tests.engines.tiny_models import TINY, card_for

EVERY_WAY = get_args(Steadiness)
HOLDING = tuple(way for way in EVERY_WAY if way != "nothing")
HOW = How(steps=5, strength=0.9, guidance_scale=2.0)


@pytest.fixture(scope="module", params=["ltx", "wan"])
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Family:
    model, save = TINY[request.param]
    folder = save(tmp_path_factory.mktemp("model"))
    return load_family(card_for(folder, model), folder, torch.device("cpu"), torch.float32)


def textured(seed: int, width: int = 96) -> Frames:
    """Soft blobs that flow can follow, uint8 [64, width, 3]."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 255, (8, width // 8, 3)).astype(np.uint8)
    return np.kron(small, np.ones((8, 8, 1), np.uint8))


def made(family: Family, frames: Frames, steadiness: Steadiness, **more: Any) -> Frames:
    words = Words(*(family.encode_prompt([text]) for text in ("a red fox", "a blue owl", "")))
    return np.concatenate(list(restyle(family, frames, words, HOW, steadiness, **more)))


def latents_of(family: Family, frames: Frames, way: Steadiness) -> list[torch.Tensor]:
    """What is decoded at last for each frame: random weights hardly show in the pictures."""
    seen: list[torch.Tensor] = []
    decode = family.decode

    def told(latents: torch.Tensor) -> Any:
        seen.append(latents)
        return decode(latents)

    ends = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(family, "decode", told)
        words = Words(*(family.encode_prompt([text]) for text in ("a red fox", "a blue owl", "")))
        for _ in restyle(family, frames, words, HOW, way):
            ends.append(seen[-1])
    return ends


@pytest.fixture(scope="module")
def moving() -> Frames:
    wide = textured(1, 128)
    return np.stack([wide[:, 4 * step : 4 * step + 96] for step in range(3)])


def test_without_anything_shared_every_frame_is_a_picture_of_its_own(family: Family, moving: Frames) -> None:
    together = made(family, moving, "nothing")
    assert together.shape == moving.shape
    for index in range(len(moving)):
        np.testing.assert_array_equal(together[index], made(family, moving[index : index + 1], "nothing")[0])


@pytest.mark.parametrize("way", HOLDING)
def test_the_first_frame_is_made_alone_and_later_ones_are_not(family: Family, moving: Frames, way: Steadiness) -> None:
    alone, held, again = (latents_of(family, moving, one) for one in ("nothing", way, way))
    assert (held[0] - alone[0]).abs().max() < 1e-4
    assert (held[1] - alone[1]).abs().max() > 1e-7
    assert all(torch.equal(one, other) for one, other in zip(held, again, strict=True))


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_still_clip_stays_still(family: Family, way: Steadiness) -> None:
    still = np.repeat(textured(2)[None], 3, axis=0)
    frames = made(family, still, way).astype(int)
    assert np.abs(frames[1:] - frames[:1]).max() <= 2


@pytest.mark.parametrize("way", HOLDING)
def test_nothing_is_carried_over_a_cut(family: Family, way: Steadiness) -> None:
    cut = np.stack([textured(3), textured(4)])
    seen = flows_of(cut)(1)
    assert Way.along(*seen).seen.mean() < 0.4
    np.testing.assert_array_equal(made(family, cut, way)[1], made(family, cut[1:], way)[0])


def test_cells_come_from_where_the_flow_points_and_what_enters_comes_from_nowhere() -> None:
    flow = np.zeros((64, 96, 2), np.float32)
    flow[..., 0] = -16
    cells, seen = (part.view(4, 6) for part in Way.along(flow, -flow).cells(4, 6))
    assert (cells % 6)[0].tolist() == [0, 0, 1, 2, 3, 4]
    assert (cells // 6)[:, 0].tolist() == [0, 1, 2, 3]
    assert not seen[:, 0].any()
    assert seen[:, 1:].all()


def test_known_motion_is_used(family: Family, moving: Frames) -> None:
    asked: list[int] = []

    def still(index: int) -> tuple[Any, Any]:
        asked.append(index)
        return np.zeros((64, 96, 2), np.float32), np.zeros((64, 96, 2), np.float32)

    made(family, moving, "estimates", motion=still)
    assert asked == [1, 2]


def test_it_can_be_cancelled_between_frames(family: Family, moving: Frames) -> None:
    def cancel(done: int) -> None:
        if done == 2:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        made(family, moving, "keys", on_frame=cancel)
