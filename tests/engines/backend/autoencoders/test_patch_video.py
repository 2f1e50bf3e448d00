"""The tokenizer: blocks, slots, causality, saving. Shapes as in engines/backend/autoencoders/patch_video.py."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch

from engines.backend.autoencoders.patch_video import (
    PatchVideoAutoencoder,
    from_blocks,
    from_slots,
    to_blocks,
    to_slots,
)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def linear() -> PatchVideoAutoencoder:
    """Orthonormal random components, no correction."""
    model = PatchVideoAutoencoder(latent_channels=12).eval()
    with torch.no_grad():
        model.pixel_mean.copy_(0.1 * noise(3072, seed=1))
        model.components.copy_(torch.linalg.qr(noise(3072, 12, seed=2)).Q.T)
        model.latents_mean.copy_(noise(12, seed=3))
        model.latents_std.copy_(noise(12, seed=4).abs() + 0.5)
    return model


@pytest.fixture(scope="module")
def corrected(linear: PatchVideoAutoencoder) -> PatchVideoAutoencoder:
    """The same code with a correction whose every weight acts (before training it is zero)."""
    model = PatchVideoAutoencoder(latent_channels=12, correction_width=8, correction_blocks=2).eval()
    model.load_state_dict(linear.state_dict(), strict=False)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.correction.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model


@pytest.fixture(scope="module")
def exact(corrected: PatchVideoAutoencoder) -> PatchVideoAutoencoder:
    """In float64, where the order of sums does not show."""
    return copy.deepcopy(corrected).double()


def test_a_block_holds_its_pixels_colour_by_colour_then_frame_row_column() -> None:
    pixels = noise(2, 3, 9, 32, 48)
    blocks = to_blocks(pixels)
    assert blocks.shape == (2, 3, 2, 3, 3072)
    values = blocks.unflatten(-1, (3, 4, 16, 16))
    assert torch.equal(values[1, 2, 1, 2], pixels[1, :, 5:9, 16:32, 32:48])
    assert torch.equal(values[0, 1, 0, 1], pixels[0, :, 1:5, 0:16, 16:32])


def test_the_first_slot_is_the_first_frame_four_times() -> None:
    pixels = noise(1, 3, 5, 16, 16)
    first = to_blocks(pixels).unflatten(-1, (3, 4, 16, 16))[0, 0, 0, 0]
    assert torch.equal(first, pixels[0, :, :1].expand(-1, 4, -1, -1))


@pytest.mark.parametrize(("frames", "slots"), [(1, 1), (5, 2), (17, 5), (25, 7)])
def test_frames_become_slots_and_come_back(frames: int, slots: int, linear: PatchVideoAutoencoder) -> None:
    pixels = noise(1, 3, frames, 32, 16)
    blocks = to_blocks(pixels)
    assert blocks.shape == (1, slots, 2, 1, 3072)
    assert torch.equal(from_blocks(blocks)[:, :, 3:], pixels)
    latents = linear.encode(pixels).latent_dist.mode()
    assert latents.shape == (1, 12, slots, 2, 1)
    assert linear.decode(latents).sample.shape == pixels.shape


def test_a_picture_and_the_first_frame_of_a_clip_have_one_code(linear: PatchVideoAutoencoder) -> None:
    clip = noise(1, 3, 9, 32, 32)
    whole = linear.encode(clip).latent_dist.mode()
    assert torch.allclose(whole[:, :, :1], linear.encode(clip[:, :, :1]).latent_dist.mode(), atol=1e-5)


def test_slots_as_channels_come_back() -> None:
    pixels = noise(2, 3, 12, 8, 8)
    slots = to_slots(pixels)
    assert slots.shape == (2, 3, 12, 8, 8)
    assert torch.equal(slots[1, 2].unflatten(0, (3, 4)), pixels[1, :, 8:12])
    assert torch.equal(from_slots(slots), pixels)


@pytest.mark.parametrize("shape", [(1, 3, 16, 32, 32), (1, 3, 2, 32, 32), (1, 3, 5, 40, 32), (1, 3, 5, 32, 24)])
def test_shapes_that_blocks_cannot_tile_are_refused(shape: tuple[int, ...], linear: PatchVideoAutoencoder) -> None:
    with pytest.raises(ValueError, match=r"4k \+ 1 and sides multiples of 16, not {} x {} x {}".format(*shape[2:])):
        linear.encode(torch.zeros(shape))


def test_decode_then_encode_is_the_identity_on_latents(linear: PatchVideoAutoencoder) -> None:
    """Components are orthonormal, so what was decoded has just its code. (The first slot's frames may differ among
    themselves in a random code, and only the last of them is kept: it is left out.)"""
    latents = noise(1, 12, 4, 2, 2)
    again = linear.encode(linear.decode(latents).sample).latent_dist.mode()
    assert torch.allclose(again[:, :, 1:], latents[:, :, 1:], atol=1e-4)


def test_an_untrained_correction_changes_nothing(linear: PatchVideoAutoencoder) -> None:
    fresh = PatchVideoAutoencoder(latent_channels=12, correction_width=8).eval()
    fresh.load_state_dict(linear.state_dict(), strict=False)
    latents = noise(1, 12, 3, 2, 2)
    assert torch.equal(fresh.decode(latents).sample, linear.decode(latents).sample)


def test_the_preview_path_is_the_linear_one(linear: PatchVideoAutoencoder, corrected: PatchVideoAutoencoder) -> None:
    latents = noise(1, 12, 3, 2, 2)
    assert torch.equal(corrected.decode_linear(latents), linear.decode(latents).sample)
    assert not torch.allclose(corrected.decode(latents).sample, linear.decode(latents).sample, atol=1e-2)


def test_decoding_is_causal(exact: PatchVideoAutoencoder) -> None:
    """A prefix of the slots gives a prefix of the frames: a stream needs no future."""
    latents = noise(1, 12, 6, 2, 2).double()
    with torch.no_grad():
        whole = exact.decode(latents).sample
        for slots in (1, 2, 4):
            part = exact.decode(latents[:, :, :slots]).sample
            assert part.shape[2] == 4 * slots - 3
            assert torch.allclose(part, whole[:, :, : 4 * slots - 3], atol=1e-9)


def test_decoding_looks_back_two_slots_per_block_and_no_further(exact: PatchVideoAutoencoder) -> None:
    """Two blocks: slot 6 sees slots 2 … 6. What a streamed decode has to keep."""
    latents = noise(1, 12, 7, 1, 1).double()
    with torch.no_grad():
        last = exact.decode(latents).sample[:, :, -4:]
        for changed, seen in ((1, False), (2, True), (5, True), (6, True)):
            other = latents.clone()
            other[:, :, changed] += 1
            difference = (exact.decode(other).sample[:, :, -4:] - last).abs().max()
            assert bool(difference > 1e-9) == seen, changed


def test_batches_do_not_mix(exact: PatchVideoAutoencoder) -> None:
    latents = noise(2, 12, 3, 2, 2).double()
    with torch.no_grad():
        both = exact.decode(latents).sample
        assert torch.allclose(both[1:], exact.decode(latents[1:]).sample, atol=1e-9)


def test_saving_and_loading_gives_the_same_model(corrected: PatchVideoAutoencoder, tmp_path: Path) -> None:
    corrected.save_pretrained(tmp_path)
    loaded = PatchVideoAutoencoder.from_pretrained(tmp_path).eval()
    assert dict(loaded.config)["latent_channels"] == 12
    assert dict(loaded.config)["correction_width"] == 8
    assert loaded.state_dict().keys() == corrected.state_dict().keys()
    for name, value in corrected.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}


def test_only_the_correction_is_trained(corrected: PatchVideoAutoencoder) -> None:
    """Latents of a cache stay valid while the decoder learns."""
    trained = {name for name, parameter in corrected.named_parameters() if parameter.requires_grad}
    assert trained == {f"correction.{name}" for name, _ in corrected.correction.named_parameters()}


@pytest.mark.parametrize("shape", [(3, 20, 18), (27, 3, 2), (26, 17, 2)])
def test_tiles_change_nothing(shape: tuple[int, int, int]) -> None:
    """Larger than a tile in height and width, longer than one in time, both."""
    torch.manual_seed(0)
    model = PatchVideoAutoencoder(latent_channels=3, correction_width=8, correction_blocks=2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.1 * torch.randn_like(parameter))
        latents = torch.randn(1, 3, *shape)
        whole = model.decode(latents).sample
        model.enable_tiling()
        tiled = model.decode(latents).sample
        model.disable_tiling()
        linear = model.decode_linear(latents)
    assert (whole - linear).abs().max() > 0.01, "the correction does something"
    torch.testing.assert_close(tiled, whole, atol=1e-5, rtol=1e-5)


def test_a_tile_is_decoded_with_no_more_than_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    model = PatchVideoAutoencoder(latent_channels=3, correction_width=8, correction_blocks=2)
    seen: list[tuple[int, ...]] = []
    decode = model._decode_slots
    monkeypatch.setattr(
        model, "_decode_slots", lambda latents: seen.append(tuple(latents.shape[2:])) or decode(latents)
    )
    model.enable_tiling()
    model.decode(torch.zeros(1, 3, 30, 40, 2))
    assert max(slots for slots, _, _ in seen) == 24
    assert max(rows for _, rows, _ in seen) == 12 + 2
    assert len(seen) == 2 * 4
