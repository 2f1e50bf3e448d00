"""Known decibels, and which pixels count."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import torch

from engines.errors import InvalidRequest
from engines.metrics.psnr import background_psnr, latent_psnr, masked_psnr, object_psnr, pixel_psnr
from engines.metrics.regions import dilated, each_dilated, union_dilated
from engines.metrics.ssim import ssim
from tests.engines.metrics.worlds import rendered

GREY = np.full((3, 40, 40, 3), 100, np.uint8)


def square(top: int, left: int, side: int = 6) -> np.ndarray:
    mask = np.zeros((40, 40), bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_pixel_psnr_of_a_known_error() -> None:
    assert pixel_psnr(GREY + 10, GREY) == pytest.approx(20 * math.log10(255 / 10))
    assert pixel_psnr(GREY, GREY) == math.inf


def test_the_error_is_pooled_over_frames() -> None:
    result = GREY.copy()
    result[0] += 30  # mean squared error 900 / 3
    assert pixel_psnr(result, GREY) == pytest.approx(10 * math.log10(255**2 / 300))


def test_latent_psnr_takes_its_peak_from_the_reference() -> None:
    reference = torch.tensor([[-3.0, 1.0, 2.0, 5.0]])
    assert latent_psnr(reference + 0.5, reference) == pytest.approx(20 * math.log10(8 / 0.5))
    assert latent_psnr((reference + 0.5).bfloat16(), reference) == pytest.approx(20 * math.log10(8 / 0.5))
    assert latent_psnr(reference, reference) == math.inf


def test_dilation_is_round() -> None:
    mask = np.zeros((40, 40), bool)
    mask[20, 20] = True
    grown = dilated(mask, 4)
    assert grown[20, 24]
    assert grown[24, 20]
    assert not grown[20, 25]
    assert not grown[23, 23]  # √18 > 4
    assert (dilated(mask, 0) == mask).all()
    assert not dilated(np.zeros((40, 40), bool), 8).any()


def test_soft_masks_count_where_more_than_half_is_covered() -> None:
    mask = np.where(square(10, 10), 0.6, 0.4).astype(np.float32)
    assert (dilated(mask, 0) == square(10, 10)).all()


def test_object_psnr_looks_within_four_pixels_of_each_frames_mask() -> None:
    masks = np.stack([square(10, 4), square(10, 16), square(10, 28)])
    near, far = GREY.copy(), GREY.copy()
    near[0, 12, 4 + 5 + 4] += 40  # four pixels right of the first mask
    far[0, 12, 4 + 5 + 5] += 40
    assert object_psnr(near, GREY, masks) < math.inf
    assert object_psnr(far, GREY, masks) == math.inf
    other_frame = GREY.copy()
    other_frame[0, 12, 30] += 40  # inside the third frame's mask, but in the first frame
    assert object_psnr(other_frame, GREY, masks) == math.inf


def test_masked_and_background_psnr_share_the_border_of_the_union() -> None:
    masks = np.stack([square(10, 4), square(10, 16), square(10, 16)])
    inside = np.broadcast_to(union_dilated(masks, 8)[None, :, :, None], GREY.shape)
    assert inside[0, 12, 16 + 5 + 8, 0]
    assert not inside[0, 12, 16 + 5 + 9, 0]
    spoiled_inside = np.where(inside, GREY + 20, GREY).astype(np.uint8)
    assert masked_psnr(spoiled_inside, GREY, masks) == pytest.approx(20 * math.log10(255 / 20))
    assert background_psnr(spoiled_inside, GREY, masks) == math.inf
    spoiled_outside = np.where(inside, GREY, GREY + 20).astype(np.uint8)
    assert masked_psnr(spoiled_outside, GREY, masks) == math.inf
    assert background_psnr(spoiled_outside, GREY, masks) == pytest.approx(20 * math.log10(255 / 20))


def test_blur_costs_the_object_more_than_the_soft_scene() -> None:
    clip = rendered()
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.5) for frame in clip.frames])
    thing = object_psnr(blurred, clip.frames, clip.truth.mask)
    assert thing < pixel_psnr(blurred, clip.frames) < background_psnr(blurred, clip.frames, clip.truth.mask)


def test_ssim_is_one_for_equal_frames_and_falls_with_noise() -> None:
    frames = rendered().frames[:3]
    random = np.random.default_rng(0)
    values = [
        ssim(np.clip(frames + random.normal(0, sigma, frames.shape), 0, 255).astype(np.uint8), frames)
        for sigma in (5, 20, 60)
    ]
    assert ssim(frames, frames) == pytest.approx(1)
    assert 1 > values[0] > values[1] > values[2] > 0


def test_ssim_forgives_brightness_more_than_noise_of_the_same_error() -> None:
    frames = np.clip(rendered().frames[:2], 20, 235)
    noise = np.random.default_rng(0).choice([-12, 12], frames.shape)
    brighter, noisy = (frames + 12).astype(np.uint8), (frames + noise).astype(np.uint8)
    assert pixel_psnr(brighter, frames) == pytest.approx(pixel_psnr(noisy, frames))
    assert ssim(brighter, frames) > ssim(noisy, frames) + 0.2


def test_what_cannot_be_compared_is_named() -> None:
    clip = rendered()
    with pytest.raises(InvalidRequest) as caught:
        pixel_psnr(clip.frames[:5], clip.frames)
    assert caught.value.fix == "Give result and reference of equal shape."
    with pytest.raises(InvalidRequest) as caught:
        pixel_psnr(clip.frames.astype(np.float32), clip.frames)
    assert caught.value.fix == "Give a clip as uint8 [T, H, W, 3]."
    with pytest.raises(InvalidRequest) as caught:
        pixel_psnr(clip.frames[:0], clip.frames[:0])
    assert caught.value.fix == "Give a clip of at least 1 frame."
    with pytest.raises(InvalidRequest) as caught:
        object_psnr(clip.frames, clip.frames, clip.truth.mask[:, :48])
    assert caught.value.field == "mask"
    assert caught.value.fix.startswith("Give one mask for each frame")
    with pytest.raises(InvalidRequest) as caught:
        masked_psnr(clip.frames, clip.frames, np.zeros_like(clip.truth.mask))
    assert caught.value.fix == "Give masks that hold the object in at least one frame."
    with pytest.raises(InvalidRequest) as caught:
        background_psnr(clip.frames, clip.frames, np.ones_like(clip.truth.mask))
    assert caught.value.fix == "Give a region [H, W] or [T, H, W] that holds at least one pixel."
    with pytest.raises(InvalidRequest) as caught:
        ssim(clip.frames[:, :10], clip.frames[:, :10])
    assert "at least 11 × 11" in caught.value.fix


def test_latents_that_have_no_psnr_are_named() -> None:
    reference = torch.linspace(-1, 1, 8)
    with pytest.raises(InvalidRequest) as caught:
        latent_psnr(torch.full((8,), float("nan")), reference)
    assert "8 values of 8" in caught.value.message
    with pytest.raises(InvalidRequest) as caught:
        latent_psnr(reference, torch.ones(8))
    assert caught.value.fix == "Give latents of a clip that shows something."
    with pytest.raises(InvalidRequest) as caught:
        latent_psnr(reference[:4], reference)
    assert caught.value.fix == "Give result and reference of equal shape."


def test_a_frame_without_the_object_does_not_count() -> None:
    masks = np.stack([square(10, 10), np.zeros((40, 40), bool), square(10, 10)])
    assert not each_dilated(masks, 4)[1].any()
    result = GREY.copy()
    result[1] += 50
    assert object_psnr(result, GREY, masks) == math.inf
