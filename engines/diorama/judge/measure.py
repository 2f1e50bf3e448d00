"""How often a judge is right: heads on held-out renders, the identity head on sprites that nothing was trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.diorama.judge.examples import HUES, random_shot, round_trip, unseen_sprites, views_of
from engines.diorama.judge.model import ClipJudge
from engines.diorama.judge.view import as_input, view
from engines.diorama.judge.words import NOTHING, heads, indices, scene_words
from engines.diorama.theatre.draw import RenderedScene, render_scene

Right = npt.NDArray[np.float64]


@torch.no_grad()
def right_words(judge: ClipJudge, clips: Sequence[npt.NDArray[np.uint8]], wanted: Sequence[dict[str, str]]) -> Right:
    """1 where a head says what was wanted, 0 where not, NaN where it has nothing to look at, [clips, heads].

    Args:
        clips: uint8 [T, H, W, 3] each.
        wanted: For each clip, head → word.
    """
    logits = judge(as_input(np.stack([view(clip) for clip in clips]))).logits
    said = torch.stack([logits[head].argmax(1) for head in heads()], dim=1).numpy()
    names = np.array([indices(words) for words in wanted])
    return np.where(names < 0, np.nan, said == names)


def measure(judge: ClipJudge, clips: int, seed: int, vae: PatchVideoAutoencoder | None) -> dict[str, float]:
    """Share right of each head, both_nouns and identity; on fresh held-out renders, or on their reconstructions."""
    random = np.random.default_rng(seed)
    parts, pairs = list[Right](), list[bool]()
    for start in range(0, clips, 50):
        scenes = [render_scene(random_shot(random, held_out=True)) for _ in range(min(50, clips - start))]
        parts.append(
            right_words(judge, [_shown(scene, vae) for scene in scenes], [scene_words(s.spec) for s in scenes])
        )
        pairs += [scene_words(scene.spec).get("second", NOTHING) != NOTHING for scene in scenes]
    right = np.concatenate(parts)
    names = list(heads())
    shares = {head: float(np.nanmean(right[:, index])) for index, head in enumerate(names)}
    two = np.array(pairs)
    both = right[two][:, [names.index("noun"), names.index("second")]].min(1)
    shares["both_nouns"] = float(both.mean())
    shares["identity"] = identity_right(judge, max(1, clips // 12), random, vae)
    return {name: round(value, 4) for name, value in shares.items()}


def _shown(scene: RenderedScene, vae: PatchVideoAutoencoder | None) -> npt.NDArray[np.uint8]:
    return scene.frames if vae is None else round_trip(vae, scene.frames)


@torch.no_grad()
def identity_right(
    judge: ClipJudge, trials: int, random: np.random.Generator, vae: PatchVideoAutoencoder | None
) -> float:
    """How often a view is nearest to the other view of its own object, among 12 objects that nothing was trained on.

    Two of the twelve are the same sprite in other colours: shape alone does not do.
    """
    right = []
    for _ in range(max(1, trials // 10)):
        sprites = random.choice(unseen_sprites(), 10, replace=False)
        objects = [(str(name), 0.0) for name in sprites] + [(str(sprites[0]), HUES[1]), (str(sprites[0]), HUES[4])]
        views = np.stack([views_of(noun, hue, random, vae) for noun, hue in objects])
        embedded = judge.embed(judge.maps(as_input(views.reshape(-1, 96, 96, 3)))[1]).unflatten(0, (-1, 2))
        nearest = (embedded[:, 0] @ embedded[:, 1].T).argmax(1)
        right.append(float((nearest == torch.arange(len(objects))).float().mean()))
    return float(np.mean(right))
