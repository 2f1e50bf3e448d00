"""The mattes of what a phrase means, for every frame of some footage.

Shape legend: T frames, H rows, W columns of the footage; h, w of a mask, DETAIL values for a cell of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from engines.backend.catalogue import ModelCard
from engines.backend.families.base import PromptEmbedding, Tokens
from engines.backend.families.video_family import VideoFamily
from engines.backend.geometry import LatentGeometry
from engines.errors import InvalidRequest
from engines.footage.alignment import Floats, eight_bit
from engines.footage.footage import Footage
from engines.selection.edges import refined
from engines.selection.sizes import resized
from engines.word_selection.features import NOISES, clip_features
from engines.word_selection.head import Found, WordMaskHead

PRESENT = 0.5
OnStep = Callable[[int, int], None]


@dataclass(frozen=True)
class WordMasks:
    """Where something is in a clip.

    Attributes:
        values: float32 [T, h, w], 0 … 1.
        presence: 0 … 1, how sure the head is that the clip shows it at all: of the window where it is surest.
    """

    source: Footage
    values: Floats
    presence: float

    def mattes(self, wanted: range) -> Iterator[Floats]:
        """One float32 [H, W] for each of these frames, laid to the frame's edges."""
        for number, frame in zip(wanted, self.source.frames(wanted), strict=True):
            matte, size = self.values[number], frame.shape[:2]
            smaller = matte.shape[0] <= size[0] and matte.shape[1] <= size[1]
            yield refined(matte, frame) if smaller else resized(matte, (size[0], size[1]))


def load_head(folder: Path) -> WordMaskHead:
    """In float32, ready to answer."""
    head: WordMaskHead = WordMaskHead.from_pretrained(folder, use_safetensors=True).float()
    return head.eval()


def find_by_words(
    family: VideoFamily, head: WordMaskHead, source: Footage, phrase: str, on_step: OnStep = lambda done, total: None
) -> WordMasks:
    """Masks of what the phrase means.

    A clip that is longer than what the model makes at once is read in windows, each a clip of its own.

    Args:
        on_step: Called with (windows done, windows in all); may raise to cancel.

    Raises: InvalidRequest if the clip shows nothing of that kind.
    """
    window = family.card.defaults.frames
    starts = range(0, source.count, window)
    said = family.encode_prompt([phrase])
    masks, presence = list[Floats](), list[float]()
    for done, start in enumerate(starts):
        on_step(done, len(starts))
        made, sure = _in_window(family, head, source, range(start, min(start + window, source.count)), said)
        masks.append(made)
        presence.append(sure)
    on_step(len(starts), len(starts))
    found = WordMasks(source, np.concatenate(masks), max(presence))
    if found.presence < PRESENT or not (found.values > PRESENT).any():
        raise InvalidRequest(
            f"Nothing in the clip looks like “{phrase}”.",
            "Say what it is in other words, such as “the fox”, or mark it on a frame.",
            "thing",
        )
    return found


def likeliest(family: VideoFamily, head: WordMaskHead, source: Footage, phrases: Sequence[str]) -> str | None:
    """Which of these phrases the beginning of the clip shows most surely; None if it shows none of them."""
    window = range(min(family.card.defaults.frames, source.count))
    tokens = _tokens_of(family, source, window)
    sure = {
        phrase: float(_asked(family, head, tokens, family.encode_prompt([phrase])).present.sigmoid())
        for phrase in phrases
    }
    best = max(sure, key=lambda phrase: sure[phrase], default=None)
    return best if best is not None and sure[best] >= PRESENT else None


def _in_window(
    family: VideoFamily, head: WordMaskHead, source: Footage, wanted: range, said: PromptEmbedding
) -> tuple[Floats, float]:
    """Masks [frames, h, w] and how sure it is."""
    found = _asked(family, head, _tokens_of(family, source, wanted), said)
    values = np.asarray(found.masks[0, : len(wanted)].sigmoid().numpy(), np.float32)
    return values, float(found.present.sigmoid())


def _tokens_of(family: VideoFamily, source: Footage, wanted: range) -> Tokens:
    """Of these frames in the model's size, the last one repeated to the end of its slot."""
    card = family.card
    time = card.facts.temporal_compression
    filled = -(-(len(wanted) - 1) // time) * time + 1
    geometry = clip_geometry(family, source, filled)
    height, width = geometry.height, geometry.width
    small = [resized(eight_bit(frame), (height, width)) for frame in source.frames(wanted)]
    frames = np.stack(small + [small[-1]] * (filled - len(small)))
    return family.pack(family.encode(frames), geometry)


@torch.inference_mode()
def _asked(family: VideoFamily, head: WordMaskHead, tokens: Tokens, said: PromptEmbedding) -> Found:
    """The mean of what the head says under each noise; of a head that reads no features, what it says."""
    assert tokens.grid is not None
    answers = list[Found]()
    for seed in NOISES if head.blocks else NOISES[:1]:
        features = clip_features(family, tokens, said, head.blocks, seed) if head.blocks else None
        answers.append(head(tokens.values.cpu(), features, tokens.grid, said.values.float().cpu(), said.mask.cpu()))
    masks = torch.stack([answer.masks for answer in answers]).mean(0)
    return Found(masks, torch.stack([answer.present for answer in answers]).mean(0))


def clip_geometry(family: VideoFamily, source: Footage, frames: int | None = None) -> LatentGeometry:
    """Of so many frames of the footage as the model sees them; by default as many as it sees at once."""
    height, width = _nearest_size(source, family.card)
    return family.geometry(height, width, frames or family.card.defaults.frames, family.card.defaults.fps)


def _nearest_size(source: Footage, card: ModelCard) -> tuple[int, int]:
    """(height, width) that the model was trained for, of the shape nearest to the footage's."""
    shape = source.width / source.height
    sizes = [(size.height, size.width) for size in card.trained_sizes] or [(card.defaults.height, card.defaults.width)]
    return min(sizes, key=lambda size: abs(np.log(size[1] / size[0] / shape)))
