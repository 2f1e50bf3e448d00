"""`python -m engines.diorama`: the import of sprites is repeatable, one clip becomes a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engines.diorama.__main__ import main
from engines.diorama.clip_spec import ClipSpec
from engines.diorama.render import render
from engines.diorama.sprite_import import find_picture, import_sprites, read_hexcodes
from engines.diorama.vocabulary import Noun
from engines.errors import InvalidRequest, NotAvailable
from engines.media.reader import read_clip

FOX = Noun("fox", "fox", "a", False, True)
HEART = Noun("big heart", "red heart", "a", False, True)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """An unpacked package of two pictures, one named with the variation mark."""
    assets = tmp_path / "package" / "assets"
    assets.mkdir(parents=True)
    for name, colour in (("1f98a", (255, 120, 0, 255)), ("2764-fe0f", (255, 0, 0, 128))):
        Image.new("RGBA", (8, 8), colour).save(assets / f"{name}.webp", lossless=True)
    return tmp_path / "package"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    entries = [
        {"label": "fox", "hexcode": "1F98A", "emoji": "🦊"},
        {"label": "red heart", "hexcode": "2764", "emoji": "❤"},
        {"label": "unpictured", "hexcode": "1F000"},
    ]
    path = tmp_path / "data.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def test_pictures_are_copied_unchanged_under_the_nouns_names(package: Path, labels: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sprites"
    assert import_sprites(package, labels, [FOX, HEART], folder) == [folder / "fox.webp", folder / "big_heart.webp"]
    assert (folder / "fox.webp").read_bytes() == (package / "assets" / "1f98a.webp").read_bytes()
    assert (folder / "big_heart.webp").read_bytes() == (package / "assets" / "2764-fe0f.webp").read_bytes()


def test_the_variation_mark_may_be_on_either_side(package: Path) -> None:
    assets = package / "assets"
    assert find_picture(assets, "2764") == assets / "2764-fe0f.webp"
    assert find_picture(assets, "1f98a-fe0f") == assets / "1f98a.webp"
    assert find_picture(assets, "1f000") is None


def test_all_pictures_or_none(package: Path, labels: Path, tmp_path: Path) -> None:
    ghost, stranger = Noun("ghost", "unpictured", "a", False, True), Noun("yeti", "yeti", "a", False, True)
    with pytest.raises(NotAvailable) as caught:
        import_sprites(package, labels, [FOX, ghost, stranger], tmp_path / "sprites")
    assert "ghost (“unpictured”, 1f000), yeti (“yeti”, no such label)" in caught.value.message
    assert caught.value.fix.startswith("Give the unpacked npm package @lobehub/fluent-emoji-3d 1.1.0")
    assert caught.value.field == "package"
    assert not (tmp_path / "sprites").exists()


@pytest.mark.parametrize("content", ["no json", '{"fox": 1}', '[{"label": "fox"}]', None])
def test_a_wrong_labels_file_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "labels.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidRequest) as caught:
        read_hexcodes(path)
    assert str(path) in caught.value.message
    assert caught.value.fix == "Give en/data.json of the npm package emojibase-data 17.0.0."
    assert caught.value.field == "labels"


def test_import_by_command_says_what_is_missing(
    package: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The world wants 48 nouns and this package has two: exit status 2, and nothing is written."""
    folder = tmp_path / "sprites"
    arguments = ["import-sprites", "--package", str(package), "--labels", str(labels), "--out", str(folder)]
    assert main(arguments) == 2
    assert "penguin (“penguin”, no such label)" in capsys.readouterr().err
    assert not folder.exists()


def test_import_by_command(package: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With every label present, the whole world arrives, and what lies outside of it."""
    from engines.diorama.vocabulary import outside, world

    nouns = [*world().nouns.values(), *outside().values()]
    labels.write_text(json.dumps([{"label": noun.sprite, "hexcode": "1F98A"} for noun in nouns]))
    folder = tmp_path / "diorama"
    arguments = ["import-sprites", "--package", str(package), "--labels", str(labels), "--out", str(folder)]
    assert main(arguments) == 0
    assert f"{len(world().nouns)} sprites are in {folder / 'sprites'}.\n" in capsys.readouterr().out
    assert (folder / "sprites" / "pine_tree.webp").is_file()
    assert (folder / "sprites_outside" / "polar_bear.webp").is_file()


def test_a_clip_becomes_a_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fox.mp4"
    words = ["--noun", "fox", "--motion", "bounces", "--scene", "field", "--seed", "3"]
    assert main(["render", *words, "--out", str(path)]) == 0
    assert capsys.readouterr().out == f"a fox bounces on a green field: {path}\n"
    frames = read_clip(path).frames
    wanted = render(ClipSpec("fox", "bounces", "field", 3), with_flow=False).frames
    assert frames.shape == wanted.shape
    assert np.abs(frames.astype(int) - wanted).mean() < 4


@pytest.mark.parametrize(
    ("words", "field", "fix"),
    [
        (("yeti", "bounces", "field"), "noun", "Choose one of: fox, cat, dog"),
        (("fox", "teleports", "field"), "motion", "Choose one of: slides left, slides right"),
        (("fox", "bounces", "moon"), "scene", "Choose one of: beach, field"),
        (("doughnut", "spins", "field"), "motion", "Choose another motion than “spins” for a doughnut."),
    ],
)
def test_words_that_the_world_lacks(
    words: tuple[str, str, str], field: str, fix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from engines.diorama.__main__ import check_words

    with pytest.raises(InvalidRequest) as caught:
        check_words(*words)
    assert caught.value.field == field
    assert caught.value.fix.startswith(fix)
    path = tmp_path / "clip.mp4"
    options = [
        item for name, word in zip(("noun", "motion", "scene"), words, strict=True) for item in (f"--{name}", word)
    ]
    assert main(["render", *options, "--out", str(path)]) == 2
    assert fix in capsys.readouterr().err
    assert not path.exists()


def test_a_wrong_suffix_and_a_wrong_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--noun", "fox", "--motion", "bounces", "--scene", "field"]
    assert main(["render", *words, "--out", str(tmp_path / "fox.avi")]) == 2
    assert "Choose one of: .mp4" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["render", *words, "--seed", "-1", "--out", str(tmp_path / "fox.mp4")])
    assert "whole number from 0 on" in capsys.readouterr().err
