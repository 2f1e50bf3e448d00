"""The decoder correction: it learns, leaves every latent alone, and goes on after a kill as if there had been none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.training import decoder
from engines.training.decoder import reconstruction_loss, train_decoder
from engines.training.run import Run
from engines.training.run_state import load_state
from tests.engines.training.conftest import MakeRun

PLAN = {
    "width": 8,
    "blocks": 1,
    "steps": 6,
    "batch": 1,
    "rate": 0.01,
    "latent_noise": 0.05,
    "object_weight": 4.0,
    "seed": 3,
}


class Killed(Exception):
    """Stands for the end of the process: nothing after it runs."""


def decoder_run(make_run: MakeRun, name: str) -> Run:
    run = make_run(name, steps=1, processes=1)
    run.config["decoder"] = dict(PLAN)
    return run


def weights(run: Run) -> dict[str, torch.Tensor]:
    return load_state(run.folder / "decoder.safetensors")[0]


def test_a_killed_run_resumes_bit_for_bit(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, broken = decoder_run(make_run, "whole"), decoder_run(make_run, "broken")
    train_decoder(whole)

    save = decoder.save_training

    def die_after_the_third(path: Path, module: torch.nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
        save(path, module, optimiser, step)
        if step == 3:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(decoder, "SAVE_SECONDS", -1.0)
        patch.setattr(decoder, "save_training", die_after_the_third)
        with pytest.raises(Killed):
            train_decoder(broken)
    train_decoder(broken)

    expected, found = weights(whole), weights(broken)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_the_correction_learns_and_leaves_latents_alone(make_run: MakeRun) -> None:
    run = decoder_run(make_run, "learns")
    train_decoder(run)
    before = PatchVideoAutoencoder.from_pretrained(run.folder / "vae")
    after = PatchVideoAutoencoder.from_pretrained(run.folder / "vae_corrected")
    pixels, _ = decoder._batch(decoder.DecoderPlan(**PLAN), step=99)
    latents = before.encode(pixels).latent_dist.mode()
    assert torch.equal(latents, after.encode(pixels).latent_dist.mode())
    assert torch.equal(after.latents_std, before.latents_std)
    with torch.no_grad():
        plain, corrected = before.decode(latents).sample, after.decode(latents).sample
    assert (corrected - pixels).abs().mean() < (plain - pixels).abs().mean()


def test_the_loss_weighs_the_object() -> None:
    pixels = torch.zeros(1, 3, 1, 2, 2)
    masks = torch.tensor([[[[[1.0, 0.0], [0.0, 0.0]]]]])
    on_object, off_object = pixels.clone(), pixels.clone()
    on_object[..., 0, 0] = 1.0
    off_object[..., 1, 1] = 1.0
    ratio = reconstruction_loss(on_object, pixels, masks, 4.0) / reconstruction_loss(off_object, pixels, masks, 4.0)
    assert ratio == pytest.approx(5.0)
    assert reconstruction_loss(pixels, pixels, masks, 4.0) == 0
