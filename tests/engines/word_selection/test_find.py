"""Masks of whole footage: window by window, in the footage's own size, and said where nothing of the kind is seen."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from engines.adapters import WORD_SELECTION
from engines.backend.families.video_family import VideoFamily
from engines.backend.loading import load_family
from engines.errors import Cancelled, InvalidRequest, NotAvailable
from engines.footage.footage import ClipFootage
from engines.media.clip import Clip
from engines.metrics.regions import iou
from engines.word_selection.find import WordMasks, find_by_words, likeliest
from engines.word_selection.head import DETAIL, Found, WordMaskHead
from tests.engines.tiny_models import TINY, card_for


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> VideoFamily:
    model, save = TINY["ltx"]
    folder = save(tmp_path_factory.mktemp("model"))
    card = card_for(folder, model)
    card = card.model_copy(update={"defaults": card.defaults.model_copy(update={"frames": 17})})
    return cast(VideoFamily, load_family(card, folder, torch.device("cpu"), torch.float32))


class LeftHalf:
    """Says that the left half is meant, in every window, and how sure it is in each."""

    def __init__(self, time: int, presence: Sequence[float]) -> None:
        self._time = time
        self.blocks: tuple[int, ...] = ()
        self.asked: list[tuple[int, int, int]] = []
        self._presence = list(presence)

    def __call__(self, latents: Any, features: Any, grid: tuple[int, int, int], text: Any, mask: Any) -> Found:
        assert features is None
        self.asked.append(grid)
        slots, rows, columns = grid
        masks = torch.full((1, self._time * (slots - 1) + 1, DETAIL * rows, DETAIL * columns), -9.0)
        masks[..., : masks.shape[-1] // 2] = 9.0
        return Found(masks, torch.tensor([self._presence[len(self.asked) - 1]]))


def found(family: VideoFamily, frames: int, presence: Sequence[float], **more: Any) -> tuple[WordMasks, LeftHalf]:
    footage = ClipFootage(Clip(np.full((frames, 90, 160, 3), 128, np.uint8), Fraction(24)))
    head = LeftHalf(family.card.facts.temporal_compression, presence)
    return find_by_words(family, cast(WordMaskHead, head), footage, "the fox", **more), head


def test_long_footage_is_read_in_windows_and_keeps_its_size(family: VideoFamily) -> None:
    window = family.card.defaults.frames
    masks, head = found(family, window + 3, [-9.0, 9.0])
    assert [grid[0] for grid in head.asked] == [(window - 1) // family.card.facts.temporal_compression + 1, 2]
    assert len(masks.values) == window + 3
    assert masks.presence > 0.99
    (matte,) = masks.mattes(range(window, window + 1))
    assert matte.shape == (90, 160)
    assert matte[:, :70].min() > 0.9
    assert matte[:, 90:].max() < 0.1


def test_nothing_of_the_kind_is_said(family: VideoFamily) -> None:
    with pytest.raises(InvalidRequest, match="“the fox”") as caught:
        found(family, 5, [-9.0])
    assert caught.value.field == "thing"


def test_the_likeliest_of_several_phrases_is_named(family: VideoFamily) -> None:
    footage = ClipFootage(Clip(np.full((5, 90, 160, 3), 128, np.uint8), Fraction(24)))
    phrases = ["the cat", "the fox", "the boat"]

    def named(presence: Sequence[float]) -> str | None:
        head = LeftHalf(family.card.facts.temporal_compression, presence)
        return likeliest(family, cast(WordMaskHead, head), footage, phrases)

    assert named([-9.0, 3.0, 1.0]) == "the fox"
    assert named([-9.0, -3.0, -1.0]) is None


def test_it_can_be_cancelled_between_windows(family: VideoFamily) -> None:
    told: list[tuple[int, int]] = []

    def cancel(done: int, total: int) -> None:
        told.append((done, total))
        if done == 1:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        found(family, family.card.defaults.frames + 1, [9.0, 9.0], on_step=cancel)
    assert told == [(0, 2), (1, 2)]


def test_a_model_without_a_head_says_what_to_do_instead(family: VideoFamily, tmp_path: Path) -> None:
    with pytest.raises(NotAvailable, match="cannot select by words") as caught:
        WORD_SELECTION.folder(family.card, tmp_path)
    assert "a click, a box or a brush" in caught.value.fix


def test_iou_is_one_where_both_are_empty() -> None:
    empty, left = np.zeros((2, 4, 4), np.float32), np.zeros((2, 4, 4), np.float32)
    left[..., :2] = 1
    assert iou(empty, empty) == 1
    assert iou(left, empty) == 0
    assert iou(left, np.ones_like(left)) == 0.5
