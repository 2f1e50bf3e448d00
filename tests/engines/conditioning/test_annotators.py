"""The weight-free annotators of controlnet-aux work wherever Framewright is installed, torchvision or not."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.conditioning import annotators
from engines.errors import InvalidRequest, NotAvailable

ROOT = Path(__file__).resolve().parents[3]


def half_and_half(height: int = 70, width: int = 100) -> annotators.Frame:
    """Dark left of column 40, bright from there on."""
    frame = np.full((height, width, 3), 20, dtype=np.uint8)
    frame[:, 40:] = 230
    return frame


def test_all_three_are_available() -> None:
    assert annotators.available() == ["canny", "lineart", "shuffle"]


def test_canny_finds_the_edge_where_it_is() -> None:
    edges = annotators.canny(half_and_half())
    assert edges.shape == (70, 100, 3)
    assert edges.dtype == np.uint8
    columns = np.flatnonzero(edges[5:-5, :, 0].all(axis=0))
    assert set(columns) <= {39, 40}
    assert columns.size == 1


def test_canny_is_opencv_at_the_frame_s_own_resolution() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (64, 128, 3), dtype=np.uint8)
    np.testing.assert_array_equal(annotators.canny(frame)[..., 1], cv2.Canny(frame, 100, 200))


def test_lineart_marks_what_is_darker_than_its_surroundings() -> None:
    frame = np.full((90, 90, 3), 240, dtype=np.uint8)
    frame[40:43] = 10
    lines = annotators.lineart(frame)[..., 0]
    assert lines.shape == (90, 90)
    assert lines[41].min() > 100
    assert lines[10].max() == 0


@pytest.mark.filterwarnings("error")
def test_lineart_of_a_uniform_frame_is_empty() -> None:
    assert not annotators.lineart(np.full((64, 80, 3), 128, dtype=np.uint8)).any()


def test_shuffle_moves_colours_and_invents_none() -> None:
    frame = half_and_half()
    shuffled = annotators.shuffle(frame, seed=3)
    assert shuffled.shape == frame.shape
    assert not np.array_equal(shuffled, frame)
    assert shuffled.min() >= 20
    assert shuffled.max() <= 230


def test_shuffle_depends_on_its_seed_alone() -> None:
    np.random.seed(7)  # noqa: NPY002  the generator that controlnet_aux draws from
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (annotators.shuffle(half_and_half(), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 3), np.float32),
        np.zeros((0, 8, 3), np.uint8),
    ],
    ids=["grey", "alpha", "float", "empty"],
)
def test_a_frame_of_another_kind_is_refused(frame: annotators.Frame) -> None:
    with pytest.raises(InvalidRequest) as caught:
        annotators.canny(frame)
    assert caught.value.field == "frame"
    assert caught.value.fix == "Give a uint8 array of shape [height, width, 3] in RGB order."


def test_values_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidRequest) as thresholds:
        annotators.canny(half_and_half(), low_threshold=200, high_threshold=100)
    assert thresholds.value.fix == "Choose 0 ≤ low_threshold ≤ high_threshold ≤ 1000."
    with pytest.raises(InvalidRequest) as sigma:
        annotators.lineart(half_and_half(), sigma=0.0)
    assert sigma.value.fix == "Choose sigma above 0 and at most 100."
    with pytest.raises(InvalidRequest) as seed:
        annotators.shuffle(half_and_half(), seed=-1)
    assert seed.value.fix == "Choose seed between 0 and 4294967295."


def test_without_controlnet_aux_the_fix_is_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "controlnet_aux" else find_spec(name))
    assert annotators.available() == []
    with pytest.raises(NotAvailable) as caught:
        annotators.canny(half_and_half())
    assert caught.value.fix == "Run `make setup`, or `pip install -r requirements.txt`."


def test_annotators_work_where_torchvision_cannot_be_imported() -> None:
    code = (
        "import sys; sys.modules['torchvision'] = None\n"
        "import numpy as np\n"
        "from engines.conditioning import annotators\n"
        "frame = np.zeros((64, 64, 3), np.uint8); frame[:, 32:] = 255\n"
        "assert annotators.canny(frame).any() and annotators.lineart(frame).any()\n"
        "annotators.shuffle(frame, 0)\n"
        "assert 'controlnet_aux' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
