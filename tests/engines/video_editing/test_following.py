"""A new clip that follows this one: what the model is shown of it, and what comes of it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engines.adapters import Adapter
from engines.backend.catalogue import load_catalogue
from engines.backend.families.ltx import LTXFamily
from engines.backend.registry import ModelRegistry
from engines.conditioning.annotators import canny
from engines.conditioning.control.branch import ControlBranch
from engines.context import Progress, RunContext
from engines.diorama.theatre.draw import RenderedScene, render_scene
from engines.diorama.theatre.spec import SceneSpec, Thing
from engines.errors import InvalidRequest, NotAvailable
from engines.media.metadata import read_record
from engines.media.reader import read_clip
from engines.media.writer import ClipWriter
from engines.task import parse_request
from engines.video_editing.check import check_request, fit_of, open_video
from engines.video_editing.engine import VideoEditingEngine
from engines.video_editing.followed import edges, shown_frames
from engines.video_editing.request import VideoEditingRequest

FRAMES = 9


@pytest.fixture(scope="module")
def models() -> ModelRegistry:
    return ModelRegistry(dtype=torch.float32)


@pytest.fixture(scope="module")
def branch(models: ModelRegistry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small one that was pushed off zero, so that it says something."""
    family = models.load("diorama")
    assert isinstance(family, LTXFamily)
    torch.manual_seed(3)
    made = ControlBranch.beside(family.transformer, (0, 4), (4, 8))
    for zero in (*made.into, *made.out):
        torch.nn.init.normal_(zero.weight, std=0.02)
    folder = tmp_path_factory.mktemp("control")
    made.save_pretrained(folder)
    return folder


@pytest.fixture
def shipped(branch: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Adapter, "folder", lambda self, card, folder: branch)
    return branch


@pytest.fixture(scope="module")
def scene() -> RenderedScene:
    thing = Thing(noun="fox", motion="slides left", seed=4)
    return render_scene(SceneSpec(scene="snow", actors=(thing,), sound=False, frames=FRAMES, seed=5), truth=True)


def written(path: Path, frames: np.ndarray[Any, Any]) -> Path:
    with ClipWriter(path, Fraction(24)) as writer:
        writer.write(frames)
    return path


@pytest.fixture(scope="module")
def video(scene: RenderedScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("footage") / "fox.mp4", scene.frames)


def asked(video: Path, **fields: Any) -> VideoEditingRequest:
    said = {"mode": "follow", "prompt": "a cat slides left in the snow", "steps": 4}
    return parse_request(VideoEditingRequest, {"video": video, **said, **fields})


def shown(request: VideoEditingRequest, mattes: Any = None) -> np.ndarray[Any, Any]:
    source = open_video(request)
    return shown_frames(request, source, fit_of(request, source, load_catalogue().card("diorama")), mattes)


@pytest.mark.parametrize("size", [(96, 96), (50, 70), (128, 64)])
def test_the_pages_edges_are_those_of_the_annotator(scene: RenderedScene, size: tuple[int, int]) -> None:
    frame = np.resize(scene.frames[4], (*size, 3)).astype(np.uint8)
    assert np.array_equal(edges(frame), canny(frame))
    assert edges(frame).any()


def test_edges_are_those_of_every_frame(video: Path) -> None:
    made = shown(asked(video))
    frames = np.asarray(read_clip(video).frames, np.uint8)
    assert np.array_equal(made, np.stack([edges(frame) for frame in frames]))


def test_depth_is_spread_from_black_to_white(video: Path, tmp_path: Path) -> None:
    ramp = np.linspace(60, 180, 96).astype(np.uint8)
    grey = np.broadcast_to(ramp[None, :, None, None], (FRAMES, 96, 96, 3)).copy()
    made = shown(asked(video, follow="depth", depth=written(tmp_path / "depth.mp4", grey)))
    assert made.shape == (FRAMES, 96, 96, 3)
    assert (made.min(), made.max()) == (0, 255)
    assert made[0, 10].mean() < 40 < 210 < made[0, 85].mean()


class Square:
    """A selection that covers the left half."""

    def mattes(self, wanted: range) -> Any:
        half = np.zeros((96, 96), np.float32)
        half[:, :48] = 1
        return (half for _ in wanted)


def test_the_shape_of_what_is_selected_is_white(video: Path) -> None:
    made = shown(asked(video, follow="shape"), Square())
    assert (made[:, :, :48] == 255).all()
    assert (made[:, :, 48:] == 0).all()


@pytest.mark.usefixtures("shipped")
def test_the_clip_follows_and_the_file_tells_how(models: ModelRegistry, video: Path, tmp_path: Path) -> None:
    engine, seen = VideoEditingEngine(models), list[Progress]()
    made = {
        closely: engine.run(asked(video, closely=closely), RunContext(tmp_path / str(closely), seen.append))
        for closely in (1.0, 0.1)
    }
    near, far = (np.asarray(read_clip(one.files[0].path).frames, np.float32) for one in made.values())
    assert near.shape == (FRAMES, 96, 96, 3)
    assert np.abs(near - far).mean() > 2
    assert [one.step for one in seen if one.phase == "denoising"][:4] == [1, 2, 3, 4]
    assert read_record(made[1.0].files[0].path).model["control_sha256"]
    assert not any(block._forward_hooks for block in models.load("diorama").transformer.transformer_blocks)
    again = engine.run(asked(video), RunContext(tmp_path / "again"))
    assert np.array_equal(np.asarray(read_clip(again.files[0].path).frames, np.float32), near)


@pytest.mark.usefixtures("shipped")
def test_depth_must_be_there_and_fit(video: Path, tmp_path: Path) -> None:
    catalogue = load_catalogue()
    with pytest.raises(InvalidRequest, match="There is no depth") as error:
        check_request(asked(video, follow="depth"), catalogue)
    assert error.value.field == "depth"
    short = written(tmp_path / "short.mp4", np.zeros((5, 96, 96, 3), np.uint8))
    with pytest.raises(InvalidRequest, match="The depth has 5 frames, the clip 9"):
        check_request(asked(video, follow="depth", depth=short), catalogue)
    with pytest.raises(InvalidRequest, match="There is no mask") as error:
        check_request(asked(video, follow="shape", selection="mask"), catalogue)
    assert check_request(asked(video), catalogue) == []


def test_a_model_without_a_branch_is_named(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.video_editing.check.locate", lambda card: tmp_path)
    with pytest.raises(NotAvailable, match="cannot follow edges or depth") as error:
        check_request(asked(video), load_catalogue())
    assert error.value.field == "mode"
