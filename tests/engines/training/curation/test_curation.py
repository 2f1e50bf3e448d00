"""A folder of good videos and of videos with one fault each: faults are found and named, nothing else is dropped."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.spec import SceneSpec, Thing
from engines.errors import InvalidRequest
from engines.media.digest import file_digest
from engines.media.writer import ClipWriter
from engines.training.curation.__main__ import curate, main
from engines.training.curation.manifest import read_window
from engines.training.curation.rules import EXAMPLE

Frames = npt.NDArray[np.uint8]
CONFIG = Path(EXAMPLE)
SCENES = (("fox", "slides right", "beach"), ("house", "bounces", "room"), ("rocket", "rises", "field"))


def scene(row: int, length: int = 33) -> Frames:
    noun, motion, place = SCENES[row % len(SCENES)]
    actor = Thing(noun=noun, motion=motion, seed=row)  # type: ignore[arg-type]
    return render_scene(SceneSpec(scene=place, actors=(actor,), frames=length, height=128, width=128)).frames


def barred(frames: Frames) -> Frames:
    result = frames.copy()
    result[:, :24], result[:, -24:] = 0, 0
    return result


def shaken(frames: Frames) -> Frames:
    random = np.random.default_rng(0)
    textured = (
        frames.astype(int) + cv2.resize(random.integers(-60, 60, (16, 16, 1)).astype(np.float32), (128, 128))[..., None]
    )
    steps = np.where(np.arange(len(frames)) // 3 % 2, 12, 0)
    moved = [np.roll(frame, (step, step), (0, 1)) for frame, step in zip(textured.clip(0, 255), steps, strict=True)]
    return np.stack(moved).astype(np.uint8)


def dissolving(frames: Frames) -> Frames:
    """One texture into another, over ten frames of the middle."""
    random = np.random.default_rng(int(frames[0].sum()))
    first, second = (
        cv2.resize(random.integers(0, 255, (12, 12, 3)).astype(np.float32), (128, 128), interpolation=cv2.INTER_CUBIC)
        for _ in range(2)
    )
    shares = np.clip((np.arange(len(frames)) - 11) / 10, 0, 1)
    mixed = np.stack([(1 - share) * first + share * second for share in shares])
    return np.clip(0.8 * mixed + 0.2 * frames, 0, 255).astype(np.uint8)


FAULTS: dict[str, Callable[[Frames], Frames]] = {
    "still": lambda frames: np.repeat(frames[:1], len(frames), axis=0),
    "blurred": lambda frames: np.stack([cv2.GaussianBlur(frame, (0, 0), 5) for frame in frames]),
    "dark": lambda frames: (frames * 0.06).astype(np.uint8),
    "bright": lambda frames: (244 + frames // 25).clip(0, 255).astype(np.uint8),
    "bars": barred,
    "shaky": shaken,
    "dissolve": dissolving,
}


def write(path: Path, frames: Frames, caption: str | None = "a thing that moves") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with ClipWriter(path, 24) as writer:
        writer.write(frames)
    if caption is not None:
        path.with_suffix(".txt").write_text(caption, encoding="utf-8")


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for row in range(len(SCENES)):
        write(folder / "good" / f"{row}.mp4", scene(row))
        for name, spoil in FAULTS.items():
            # Blurred copies of good videos would be duplicates of each other: each has a look of its own.
            write(folder / name / f"{row}.mp4", spoil(scene(row + 30)))
    write(folder / "good" / "two_shots.mp4", np.concatenate([scene(10), scene(11)]))
    write(folder / "short" / "0.mp4", scene(12, length=9))
    write(folder / "strip" / "0.mp4", np.tile(scene(13), (1, 1, 4, 1)))
    write(folder / "twin" / "0.webm", scene(0))
    write(folder / "silent" / "0.mp4", scene(14), caption=None)
    write(folder / "latin" / "0.mp4", scene(15), caption=None)
    (folder / "latin" / "0.txt").write_bytes("ein Löwe".encode("latin-1"))
    (folder / "broken").mkdir()
    (folder / "broken" / "0.mp4").write_bytes((folder / "good" / "0.mp4").read_bytes()[:900])
    (folder / "notes.txt").write_text("no video", encoding="utf-8")
    return folder


EXPECTED = {name: name for name in FAULTS} | {
    "short": "too short", "strip": "shape", "twin": "duplicate", "silent": "caption", "latin": "caption",
    "broken": "unreadable",
}  # fmt: skip


@pytest.fixture(scope="module")
def results(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results")
    before = file_digest(videos)
    curate(videos, out, CONFIG)
    assert file_digest(videos) == before, "originals are only read"
    return out


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("fault", EXPECTED)
def test_each_fault_is_found_and_named(fault: str, results: Path) -> None:
    found = [line for line in lines(results / "dropped.jsonl") if str(line["file"]).startswith(f"{fault}/")]
    assert {line["reason"] for line in found} == {EXPECTED[fault]}
    assert len(found) == (len(SCENES) if fault in FAULTS else 1)
    assert all(line["detail"] for line in found)


def test_good_videos_are_kept_shot_by_shot(results: Path) -> None:
    kept = lines(results / "manifest.jsonl")
    assert [line["file"] for line in kept] == [*(f"good/{row}.mp4" for row in range(3)), *["good/two_shots.mp4"] * 2]
    assert {(line["frames"], line["height"], line["width"]) for line in kept} == {(25, 96, 96)}
    first, second = kept[3:]
    assert int(str(first["first"])) + 25 <= 33 - 2
    assert int(str(second["first"])) >= 33 + 2
    assert kept[0]["captions"] == ["a thing that moves"]


def test_a_line_of_the_manifest_gives_the_clip(results: Path, videos: Path) -> None:
    line = lines(results / "manifest.jsonl")[4]
    frames = read_window(line, videos)
    assert frames.shape == (25, 96, 96, 3)
    first = int(str(line["first"])) - 33
    truth = np.stack([cv2.resize(one, (96, 96), interpolation=cv2.INTER_AREA) for one in scene(11)[first : first + 25]])
    assert np.abs(frames.astype(int) - truth).mean() < 3
    late = np.abs(frames[:-1].astype(int) - truth[1:]).mean()
    assert np.abs(frames.astype(int) - truth).mean() < 0.8 * late, "not a frame too early or too late"


def test_the_report_adds_up(results: Path) -> None:
    text = (results / "report.md").read_text(encoding="utf-8")
    dropped, kept = lines(results / "dropped.jsonl"), lines(results / "manifest.jsonl")
    assert f"{len(kept)} of {len(kept) + len(dropped)} clips" in text
    assert f"| 25x96x96 | {len(kept)} |" in text
    for reason in set(EXPECTED.values()):
        count = sum(line["reason"] == reason for line in dropped)
        assert f"| {reason} | {count} |" in text


def test_a_second_run_measures_nothing_and_a_torn_one_goes_on(
    results: Path, videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    survey = (results / "survey.jsonl").read_text(encoding="utf-8")
    (tmp_path / "survey.jsonl").write_text(survey[: survey.index("\n", len(survey) * 9 // 10) + 30], encoding="utf-8")
    capsys.readouterr()
    curate(videos, tmp_path, CONFIG)
    again = capsys.readouterr().out.splitlines()
    assert 0 < len(again) < 6
    assert (tmp_path / "manifest.jsonl").read_bytes() == (results / "manifest.jsonl").read_bytes()
    curate(videos, tmp_path, CONFIG)
    assert capsys.readouterr().out == ""


def test_other_thresholds_decide_anew_without_measuring(
    results: Path, videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(results / "survey.jsonl", tmp_path)
    config = tmp_path / "loose.yaml"
    config.write_text(CONFIG.read_text(encoding="utf-8").replace("clarity: 15", "clarity: 0"), encoding="utf-8")
    capsys.readouterr()
    curate(videos, tmp_path, config)
    assert capsys.readouterr().out == ""
    assert any(str(line["file"]).startswith("blurred/") for line in lines(tmp_path / "manifest.jsonl"))


def test_what_leaves_nothing_is_said_with_the_reason(videos: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="most were dropped as “still”") as raised:
        curate(videos / "still", tmp_path, CONFIG)
    assert "report.md" in raised.value.fix
    assert (tmp_path / "report.md").exists()


def test_wrong_folders_and_configurations_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str) -> str:
        assert main(list(arguments)) == 2
        return capsys.readouterr().err

    assert "There is no folder" in said("--videos", str(tmp_path / "none"), "--out", str(tmp_path / "out"))
    assert "holds no video" in said("--videos", str(tmp_path), "--out", str(tmp_path / "out"))
    assert "among the videos" in said("--videos", str(tmp_path), "--out", str(tmp_path))
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.read_text(encoding="utf-8").replace("[0.05, 15.0]", "[15.0, 0.05]"), encoding="utf-8")
    assert "motion = [15, 0.05] leaves nothing" in said(
        "--videos", str(tmp_path), "--out", str(tmp_path / "out"), "--config", str(config)
    )
