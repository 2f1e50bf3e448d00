"""How a judge looks at clips, what it is taught from, and that teaching it works at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.diorama.judge import train as training
from engines.diorama.judge.examples import (
    TOPICS,
    Examples,
    draw_examples,
    learnt_sprites,
    nouns_of_cells,
    open_examples,
    taught_shot,
    topic_of,
    unseen_sprites,
)
from engines.diorama.judge.model import ClipJudge
from engines.diorama.judge.train import identity_loss, train
from engines.diorama.judge.view import mask_crop, view
from engines.diorama.judge.words import heads, indices, scene_words
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import is_held_out_scene
from engines.diorama.theatre.spec import Region, SceneSpec, Thing
from engines.diorama.vocabulary import outside, world


def test_nine_frames_are_seen_of_any_clip() -> None:
    numbered = np.arange(25, dtype=np.uint8)[:, None, None, None] * np.ones((1, 96, 96, 3), np.uint8)
    assert view(numbered)[:, 0, 0, 0].tolist() == [0, 3, 6, 9, 12, 15, 18, 21, 24]
    assert view(numbered[:1]).shape == (9, 96, 96, 3)


def test_a_clip_that_is_not_square_stands_between_bars() -> None:
    seen = view(np.full((9, 64, 128, 3), 250, np.uint8))[0]
    assert (seen[24:72] == 250).all()
    assert (seen[:24] == 128).all()
    assert (seen[72:] == 128).all()


def test_a_large_clip_is_scaled_whole() -> None:
    large = np.zeros((9, 192, 192, 3), np.uint8)
    large[:, :96] = 200
    seen = view(large)[0]
    assert (seen[:47] == 200).all()
    assert (seen[49:] == 0).all()


def test_cells_tell_what_covers_them() -> None:
    thing = Thing(noun="apple", region=Region(left=0.5, width=0.5), largeness=1.6, seed=4)
    scene = render_scene(SceneSpec(actors=(thing,), sound=False))
    cells, names = nouns_of_cells(scene), heads()["noun"]
    assert set(np.unique(cells)) == {names.index("apple"), len(names)}
    assert (cells[:, :, :2] == len(names)).all()
    row, column = np.argwhere(cells[0] != len(names)).mean(0)
    middle = np.argwhere(scene.coverage[0, 0] > 0.5).mean(0)
    np.testing.assert_allclose((row * 16 + 8, column * 16 + 8), middle, atol=12)


def test_finer_cells_tell_the_same() -> None:
    thing = Thing(noun="apple", region=Region(left=0.5, width=0.5), largeness=1.6, seed=4)
    scene = render_scene(SceneSpec(actors=(thing,), sound=False))
    nothing = len(heads()["noun"])
    fine, coarse = (nouns_of_cells(scene, cells) != nothing for cells in (12, 6))
    within = fine.reshape(9, 6, 2, 6, 2).any((2, 4))
    assert (within | ~coarse).all()
    assert fine.sum() > 2 * coarse.sum()


@pytest.mark.parametrize("topic", TOPICS)
def test_a_judge_is_taught_every_topic(topic: str) -> None:
    made = [taught_shot(np.random.default_rng([5, row])) for row in range(60)]
    share = float(np.mean([topic_of(spec) == topic for spec in made]))
    assert abs(share - TOPICS[topic]) < 0.15
    assert not any(is_held_out_scene(spec) for spec in made)


def test_the_crop_holds_the_object_and_no_scene() -> None:
    frame = np.full((96, 96, 3), 30, np.uint8)
    mask = np.zeros((96, 96), bool)
    mask[10:30, 50:90] = True
    frame[mask] = (200, 10, 10)
    crop = mask_crop(frame, mask)
    colours = {tuple(pixel) for pixel in crop.reshape(-1, 3)[::7]}
    assert (200, 10, 10) in colours
    assert (30, 30, 30) not in colours


def test_half_of_the_outside_sprites_is_kept_for_measuring() -> None:
    assert not set(learnt_sprites()) & set(unseen_sprites())
    assert set(learnt_sprites()) | set(unseen_sprites()) == set(world().nouns) | set(outside())
    assert len(unseen_sprites()) > 40


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    folder = tmp_path_factory.mktemp("examples")
    vae = PatchVideoAutoencoder(latent_channels=4)
    draw_examples(folder, vae, seed=3, clips=26, pairs=26, processes=1)
    first = np.array(open_examples(folder).clips)
    draw_examples(folder, vae, seed=4, clips=26, pairs=26, processes=1)  # complete: nothing is drawn again
    assert np.array_equal(first, open_examples(folder).clips)
    return open_examples(folder)


def test_examples_hold_what_they_say(examples: Examples) -> None:
    assert examples.clips.shape == (26, 9, 96, 96, 3)
    assert examples.words.shape == (26, len(heads()))
    assert (examples.words[:, list(heads()).index("scene")] >= 0).all()
    # The tokenizer here knows no picture at all: what went through it is grey, the others are not.
    assert examples.clips[1].std() < examples.clips[0].std()
    assert (examples.pairs.std((2, 3, 4)) > 5).any(1).mean() > 0.5


def test_a_judge_learns_from_them(examples: Examples, tmp_path: Path) -> None:
    torch.manual_seed(0)
    few = train("a", examples, 2, tmp_path / "log.jsonl")
    more = train("a", examples, 25, tmp_path / "log.jsonl", begin=few)
    clips = torch.from_numpy(np.array(examples.clips)).movedim(-1, -3).float() / 127.5 - 1
    wanted = torch.from_numpy(examples.words.astype(np.int64))[:, list(heads()).index("scene")]
    with torch.no_grad():
        losses = [torch.nn.functional.cross_entropy(one.train()(clips).logits["scene"], wanted) for one in (few, more)]
    assert losses[1] < losses[0] - 0.5


def test_a_killed_training_resumes_bit_for_bit(
    examples: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    whole = train("a", examples, 4, tmp_path / "whole" / "log.jsonl")
    save = training.save_training

    def die_after_the_second(path: Path, judge: ClipJudge, optimiser: torch.optim.Optimizer, step: int) -> None:
        save(path, judge, optimiser, step)
        if step == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "SAVE_SECONDS", -1.0)
        patch.setattr(training, "save_training", die_after_the_second)
        with pytest.raises(KeyboardInterrupt):
            train("a", examples, 4, tmp_path / "broken" / "log.jsonl")
    resumed = train("a", examples, 4, tmp_path / "broken" / "log.jsonl")
    assert all(torch.equal(one, other) for one, other in zip(whole.parameters(), resumed.parameters(), strict=True))


def test_a_pair_of_the_very_same_object_is_no_stranger() -> None:
    one, other = torch.eye(4)[:1], torch.eye(4)[1:2]
    first, second = torch.cat([one, one, other]), torch.cat([one, one, other])
    same, strangers = torch.tensor([7, 7, 9]), torch.tensor([7, 8, 9])
    assert identity_loss(first, second, same) < 0.01 < identity_loss(first, second, strangers)


def test_a_fresh_judge_has_a_head_for_each_list_of_words() -> None:
    judge = ClipJudge(widths=(4, 4, 4, 8), mixing_width=8, temporal_width=4, heads=tuple(heads().items())).eval()
    with torch.no_grad():
        reading = judge(torch.zeros(2, 9, 3, 96, 96))
    assert {head: logits.shape[1] for head, logits in reading.logits.items()} == {
        head: len(words) for head, words in heads().items()
    }
    assert len(indices(scene_words(SceneSpec(actors=(Thing(noun="fox"),))))) == len(heads())


def test_a_saved_judge_asks_each_question_with_its_own_query(tmp_path: Path) -> None:
    """A saved configuration sorts mappings: the order of the heads must not come from one."""
    torch.manual_seed(1)
    judge = ClipJudge(widths=(4, 4, 4, 8), mixing_width=8, temporal_width=4, heads=tuple(heads().items())).eval()
    judge.save_pretrained(tmp_path)
    loaded = ClipJudge.from_pretrained(tmp_path).eval()
    clip = torch.randn(1, 9, 3, 96, 96)
    with torch.no_grad():
        before, after = judge(clip).logits, loaded(clip).logits
    assert list(after) == list(before) == list(heads())
    for head, logits in before.items():
        torch.testing.assert_close(after[head], logits)


def test_judges_are_taught_pencil_drawings_but_no_sketched_walls_or_dolls() -> None:
    taught = [taught_shot(np.random.default_rng([8, row])) for row in range(300)]
    sketched = [spec for spec in taught if spec.style == "pencil"]
    assert 0.07 < len(sketched) / len(taught) < 0.25
    assert all(isinstance(actor, Thing) for spec in sketched for actor in spec.actors)
    assert not any(spec.scene.endswith("wall") for spec in sketched)
