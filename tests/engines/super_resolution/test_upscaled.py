"""What comes out is tied to what was filmed, does not flicker more, and does not depend on how it is asked for."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch

from engines.diorama.clip_spec import held_out_specs
from engines.diorama.render import render
from engines.footage.footage import ClipFootage
from engines.footage.neighbours import Near
from engines.media.clip import Clip
from engines.metrics.temporal import warping_error
from engines.super_resolution.convert import FOLDER
from engines.super_resolution.denoising import denoise
from engines.super_resolution.networks import Network
from engines.super_resolution.resampling import as_tensor, back_project, low_pass, resize
from engines.super_resolution.tiles import enlarge
from engines.super_resolution.upscaled import LOW_PASS, Restoration, Upscaled
from engines.super_resolution.weights import load_network


@pytest.fixture(scope="module")
def network() -> Network:
    return load_network(FOLDER / "animevideov3.safetensors")


def panning(count: int = 5, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """A texture that moves two pixels a frame, uint8 [T, 40, 48, 3]."""
    random = np.random.default_rng(seed)
    large = cv2.GaussianBlur(random.random((40, 80, 3)).astype(np.float32), (0, 0), 1.5)
    large = (large - large.min()) / (large.max() - large.min()) * 200 + 20
    clip = np.stack([large[:, 2 * t : 2 * t + 48] for t in range(count)])
    return np.clip(np.rint(clip + random.normal(0, noise, clip.shape) if noise else clip), 0, 255).astype(np.uint8)


def upscale(frames: np.ndarray, network: Network, how: Restoration, wanted: range | None = None) -> np.ndarray:
    stage = Upscaled(ClipFootage(Clip(frames, Fraction(24))), network, 80, 96, how)
    return np.stack(list(stage.frames(wanted or range(len(frames)))))


def test_frames_do_not_depend_on_which_were_asked_for_together(network: Network) -> None:
    frames = panning(6, noise=5)
    whole = upscale(frames, network, Restoration())
    np.testing.assert_array_equal(upscale(frames, network, Restoration(), range(2, 4)), whole[2:4])
    np.testing.assert_array_equal(upscale(frames, network, Restoration(), range(5, 6)), whole[5:])
    assert whole.shape == (6, 80, 96, 3)


def test_shrunk_again_it_is_what_was_filmed(network: Network) -> None:
    frame = panning(1)[0]
    filmed = as_tensor(frame)
    made = as_tensor(upscale(frame[None], network, Restoration(denoise=0.0))[0])
    alone = resize(enlarge(network, filmed), (80, 96))
    off, off_alone = (low_pass(resize(one, (40, 48)) - filmed, LOW_PASS).abs().mean() for one in (made, alone))
    assert off < 0.003
    assert off < 0.5 * off_alone


def test_back_projection_ends_at_the_filmed_picture() -> None:
    filmed = as_tensor(panning(1)[0])
    made = back_project(torch.rand(1, 3, 80, 96), filmed, 0.0, rounds=20)
    assert (resize(made, (40, 48)) - filmed).abs().max() < 0.02


def test_noise_is_averaged_away_and_a_clean_clip_is_left_alone() -> None:
    clean, noisy = panning(3), panning(3, noise=8)
    near = Near(tuple(noisy), 1)
    before = np.abs(noisy[1].astype(int) - clean[1]).mean()
    after = np.abs(denoise(near, 1.0).astype(int) - clean[1]).mean()
    assert after < 0.85 * before
    np.testing.assert_array_equal(denoise(Near(tuple(clean), 1), 1.0), clean[1])
    assert denoise(near, 0.0) is noisy[1] or (denoise(near, 0.0) == noisy[1]).all()


def test_another_shot_is_not_averaged_in() -> None:
    noisy = panning(3, noise=12)
    other = panning(3, seed=9)
    alone = denoise(Near((other[0], noisy[1], other[2]), 1), 1.0)
    assert np.abs(alone.astype(int) - noisy[1]).mean() < 3


def test_steadied_detail_flickers_less_and_is_as_sharp(network: Network) -> None:
    spec = next(one for one in held_out_specs(400) if one.motion.startswith("slides"))
    truth = render(spec, with_flow=False).frames[:5]
    frames = np.stack([cv2.resize(frame, (48, 48), interpolation=cv2.INTER_AREA) for frame in truth]).astype(np.uint8)
    source = ClipFootage(Clip(frames, Fraction(24)))
    on, off = (
        np.stack(list(Upscaled(source, network, 96, 96, Restoration(steady=steady)).frames(range(5))))
        for steady in (True, False)
    )
    assert warping_error(on, truth) < 0.95 * warping_error(off, truth)
    sharp = [np.abs(np.diff(clip.astype(int), axis=2)).mean() for clip in (on, off)]
    assert sharp[0] > 0.85 * sharp[1]


def test_sixteen_bits_stay_sixteen_bits(network: Network) -> None:
    frames = panning(2).astype(np.uint16) * 257
    made = upscale(frames, network, Restoration())
    assert made.dtype == np.uint16
    eight = upscale(panning(2), network, Restoration())
    assert np.abs(made / 257 - eight).max() < 1.5
