"""Trains the tokenizer's decoder correction on fresh renders; the encoder, and so every latent, stays as it is.

Resumable after a kill: weights and moments are saved every few minutes, batches are a function of (seed, step).
Shape legend: B batch, T frames, H, W; pixels [B, 3, T, H, W] in −1 … 1.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.backend.precision import compute_dtype
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import random_scene
from engines.errors import InvalidRequest
from engines.training.linear_code import clip_to_tensor
from engines.training.optimiser_state import restore_training, save_training
from engines.training.pretrain import SAVE_SECONDS
from engines.training.run import Run
from engines.training.run_state import append_log

USUAL_FRAMES = 17


@dataclass(frozen=True)
class DecoderPlan:
    """The configuration's `decoder` entry.

    Attributes:
        width, blocks: Size of the correction network.
        steps, batch, rate: Of the training; batch counts clips of 17 frames; the rate falls by a cosine to a tenth.
        latent_noise: Standard deviation added to normalised latents, for sampled latents are never quite clean.
        object_weight: A pixel of the objects counts 1 + this.
        shapes: What a batch is drawn from: [frames, height, width, share] each; the shares are relative. Single
            pictures and clips longer than those of the trunk belong to it, for both are decoded too.
    """

    width: int
    blocks: int
    steps: int
    batch: int
    rate: float
    latent_noise: float
    object_weight: float
    seed: int
    shapes: Sequence[tuple[int, int, int, float]] = ((17, 96, 96, 1.0),)

    def draw_shape(self, random: np.random.Generator) -> tuple[int, int, int]:
        """Frames, height and width of a batch."""
        shares = np.array([shape[3] for shape in self.shapes])
        frames, height, width, _ = self.shapes[int(random.choice(len(shares), p=shares / shares.sum()))]
        return frames, height, width


def _batch(plan: DecoderPlan, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels [B, 3, T, H, W] and object masks [B, 1, T, H, W], of one shape.

    Of every shape about as many frames: more clips of short ones.
    """
    random = np.random.default_rng([plan.seed, step])
    frames, height, width = plan.draw_shape(random)
    count = max(1, round(plan.batch * USUAL_FRAMES / frames))
    scenes = [render_scene(random_scene(random, frames=frames, height=height, width=width)) for _ in range(count)]
    masks = torch.stack([torch.from_numpy(scene.coverage.sum(0).clip(0, 1))[None] for scene in scenes])
    return torch.cat([clip_to_tensor(scene.frames) for scene in scenes]), masks


def reconstruction_loss(
    decoded: torch.Tensor, pixels: torch.Tensor, masks: torch.Tensor, object_weight: float
) -> torch.Tensor:
    """L1 + ½ MSE, weighted towards the object."""
    difference = decoded.float() - pixels
    weight = 1 + object_weight * masks
    error = (difference.abs() + 0.5 * difference**2) * weight
    return error.sum() / (weight.sum() * 3)


def train_decoder(run: Run) -> None:
    """Trains to the end of the plan and writes the tokenizer with its correction to the run's folder `vae`."""
    if "decoder" not in run.config:
        raise InvalidRequest(
            "The configuration has no decoder.", "Add decoder; presets/training/diorama.yaml shows it.", "decoder"
        )
    plan = DecoderPlan(**run.config["decoder"])
    torch.set_num_threads(1)
    torch.manual_seed(plan.seed)
    dtype = compute_dtype(torch.device("cpu"))
    linear = PatchVideoAutoencoder.from_pretrained(run.folder / "vae")
    model = PatchVideoAutoencoder(linear.config["latent_channels"], 1.0, plan.width, plan.blocks)
    model.load_state_dict(linear.state_dict(), strict=False)
    assert model.correction is not None
    correction = model.correction.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(correction.parameters(), lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.01)
    state_path = run.folder / "decoder.safetensors"
    start = restore_training(state_path, correction, optimiser)
    saved, running = time.monotonic(), list[float]()
    for step in range(start, plan.steps):
        for group in optimiser.param_groups:
            group["lr"] = plan.rate * min(1, (step + 1) / 50) * (0.55 + 0.45 * np.cos(np.pi * step / plan.steps))
        loss = _step_loss(model, plan, step, dtype)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(correction.parameters(), 1.0)
        optimiser.step()
        running.append(float(loss.detach()))
        if len(running) == 20:
            append_log(run.folder / "decoder.jsonl", step=step + 1, loss=round(sum(running) / 20, 5))
            running = []
        if time.monotonic() - saved > SAVE_SECONDS or step + 1 == plan.steps:
            save_training(state_path, correction, optimiser, step + 1)
            saved = time.monotonic()
    model.save_pretrained(run.folder / "vae_corrected")


def _step_loss(model: PatchVideoAutoencoder, plan: DecoderPlan, step: int, dtype: torch.dtype) -> torch.Tensor:
    pixels, masks = _batch(plan, step)
    generator = torch.Generator().manual_seed(plan.seed * 1_000_003 + step)
    with torch.no_grad():
        latents = model.encode(pixels).latent_dist.mode()
        spread = model.latents_std.view(1, -1, 1, 1, 1) * plan.latent_noise
        # A share of clean batches keeps reconstructions faithful; the others learn to mend what sampling leaves.
        strength = float(torch.rand((), generator=generator))
        latents = latents + spread * strength * torch.randn(latents.shape, generator=generator)
    with torch.autocast("cpu", dtype, enabled=dtype is not torch.float32):
        decoded = model.decode(latents).sample
    return reconstruction_loss(decoded, pixels, masks, plan.object_weight)
