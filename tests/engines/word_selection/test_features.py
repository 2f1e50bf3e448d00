"""What is read of a model: the blocks that were asked for, the same for the same clip, and nothing stays behind."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
import torch

from engines.backend.families.base import Tokens
from engines.backend.families.video_family import VideoFamily
from engines.backend.registry import ModelRegistry
from engines.word_selection.features import clip_features


@pytest.fixture(scope="module")
def family() -> VideoFamily:
    return cast(VideoFamily, ModelRegistry(dtype=torch.float32).load("diorama"))


@pytest.fixture(scope="module")
def tokens(family: VideoFamily) -> Tokens:
    frames = np.random.default_rng(0).integers(0, 255, (5, 96, 96, 3)).astype(np.uint8)
    return family.pack(family.encode(frames), family.geometry(96, 96, 5, 24.0))


def test_every_block_gives_its_width(family: VideoFamily, tokens: Tokens) -> None:
    said = family.encode_prompt(["the fox"])
    two, one = (clip_features(family, tokens, said, blocks) for blocks in ((2, 7), (7,)))
    assert two.shape == (1, tokens.values.shape[1], 576)
    assert torch.equal(two[..., 288:], one)
    assert not torch.equal(two[..., :288], one)


def test_words_and_clips_are_told_apart_and_nothing_is_left_to_chance(family: VideoFamily, tokens: Tokens) -> None:
    fox, cat = (family.encode_prompt([text]) for text in ("the fox", "the cat"))
    seen = clip_features(family, tokens, fox, (6,))
    assert torch.equal(seen, clip_features(family, tokens, fox, (6,)))
    assert not torch.equal(seen, clip_features(family, tokens, cat, (6,)))


def test_the_model_is_left_as_it_was(family: VideoFamily, tokens: Tokens) -> None:
    clip_features(family, tokens, family.encode_prompt(["the fox"]), (3,))
    assert not any(block._forward_hooks for block in family.transformer.transformer_blocks)


def test_a_model_without_blocks_is_refused(
    family: VideoFamily, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(family, "transformer", torch.nn.Identity())
    with pytest.raises(ValueError, match="transformer_blocks"):
        clip_features(family, tokens, family.encode_prompt(["the fox"]), (3,))
