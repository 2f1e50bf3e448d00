"""The trunk's training run: several processes on one shared set of weights, resumable after a kill at any moment.

Batches are a function of (seed, step, process), so a resumed run draws what the killed one would have drawn.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from diffusers import LTXVideoTransformer3DModel

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.backend.precision import compute_dtype
from engines.backend.text_encoders import load_minilm
from engines.training.fast_forward import block_forward, fast_forward, rotary_tables
from engines.training.flow_batch import NoiseMix, add_noise, draw_sigmas, flow_loss
from engines.training.latent_cache import LatentCache, open_cache
from engines.training.run_state import append_log, load_carried_state, load_state, save_state
from engines.training.shared_parameters import SharedParameters

FPS = 24
SAVE_SECONDS = 180.0
LOG_EVERY = 20
REWARM_STEPS = 200  # after a carried state, whose moments are gone


@dataclass(frozen=True)
class Run:
    """A run's folder and its configuration (presets/training/*.yaml)."""

    folder: Path
    config: dict[str, Any]

    @staticmethod
    def open(folder: Path, config: Path) -> Run:
        return Run(folder, yaml.safe_load(config.read_text(encoding="utf-8")))

    @property
    def state(self) -> Path:
        return self.folder / "state.safetensors"

    @property
    def log(self) -> Path:
        return self.folder / "log.jsonl"

    @property
    def total_steps(self) -> int:
        return sum(int(phase["steps"]) for phase in self.config["phases"])

    def phase_at(self, step: int) -> dict[str, Any]:
        """The phase that a step (from 0) belongs to."""
        for phase in self.config["phases"]:
            if step < phase["steps"]:
                return dict(phase)
            step -= phase["steps"]
        return dict(self.config["phases"][-1])

    def rate_factor(self, step: int, warm_from: int) -> float:
        """Warm-up, constant, linear cool-down to the floor at the end (WSD): lengthening a run keeps its past."""
        rates = self.config["rates"]
        warm = min(1.0, (step - warm_from + 1) / (REWARM_STEPS if warm_from else rates["warmup"]))
        left = (self.total_steps - step) / rates["cooldown"]
        return float(warm * max(rates["floor"], min(1.0, left)))


def make_transformer(config: dict[str, Any]) -> LTXVideoTransformer3DModel:
    """A fresh trunk: seeded, with zero-initialised output, and the run's rotary base."""
    torch.manual_seed(config["seed"])
    channels = config["tokenizer"]["channels"]
    model = LTXVideoTransformer3DModel(in_channels=channels, out_channels=channels, **config["model"])
    model.rope.theta = config["rope_theta"]
    torch.nn.init.zeros_(model.proj_out.weight)
    return model


def token_coordinates(slots: int, size: int) -> torch.Tensor:
    """[3, N]: seconds and pixels of each token; slot k starts at max(0, 4k − 3) / fps (TRAINING.md, point 5)."""
    cells = torch.arange(size // 16) * 16.0
    starts = torch.tensor([max(0, 4 * k - 3) / FPS for k in range(slots)])
    grid = torch.meshgrid(starts, cells, cells, indexing="ij")
    return torch.stack([axis.flatten() for axis in grid])


@dataclass(frozen=True)
class Plan:
    """Where all processes begin and what they compute in. `warm_from` > 0: moments are fresh since that step."""

    start: int
    warm_from: int
    dtype: torch.dtype


@dataclass(frozen=True)
class Together:
    """What the processes of a run share beside the weights.

    Attributes:
        barrier: All meet here.
        wanted: Set by whoever wants the run to stop.
        stopping: Set by process 0 between two barriers, so that all leave after the same step.
    """

    barrier: Any
    wanted: Any
    stopping: Any


class Worker:
    """One process of a run."""

    def __init__(self, run: Run, shared: SharedParameters, together: Together, process: int, plan: Plan) -> None:
        self.run, self.shared, self.together, self.process, self.plan = run, shared, together, process, plan
        self.barrier = together.barrier
        torch.set_num_threads(1)
        self.mix = NoiseMix(**run.config["noise"])
        self.caches: dict[str, LatentCache] = {}
        vae = PatchVideoAutoencoder.from_pretrained(run.folder / "vae")
        self.mean, self.scale = vae.latents_mean, vae.latents_std
        self.dtype = plan.dtype
        self.model = make_transformer(run.config).to(plan.dtype)
        self.rotary = {
            name: rotary_tables(self.model, token_coordinates((cache["frames"] - 1) // 4 + 1, 96))
            for name, cache in run.config["caches"].items()
        }
        self.empty = load_minilm().encode([""])
        # Compiling takes half a minute per shape and a C++ compiler: not worth it for a run of a few steps.
        compiled = run.config.get("compile", True)
        self.block = torch.compile(block_forward, dynamic=False) if compiled else block_forward
        self.saved_at = time.monotonic()

    def cache(self, kind: str) -> LatentCache:
        """A cache is opened when first needed: pictures can train while clips are still being rendered."""
        if kind not in self.caches:
            self.caches[kind] = open_cache(self.run.folder / "cache" / kind)
        return self.caches[kind]

    def batch_loss(self, step: int) -> torch.Tensor:
        """The loss of this process's share of a step."""
        config, seed = self.run.config, [self.run.config["seed"], step, self.process]
        numbers = np.random.default_rng(seed)
        share = self.run.phase_at(step)["pictures_share"]
        # All processes take the same kind in a step, so that none waits for another.
        kind = "pictures" if np.random.default_rng(seed[:2]).random() < share else "clips"
        cache = self.cache(kind)
        rows = numbers.choice(len(cache), config["batch"][kind], replace=False)
        clean, coverage, states, mask = cache.batch(rows)
        generator = torch.Generator().manual_seed(int(numbers.integers(2**62)))
        dropped = torch.rand(len(rows), generator=generator) < self.mix.text_dropout
        longest = states.shape[1]
        states[dropped], mask[dropped] = self.empty.values[:, :longest], self.empty.mask[:, :longest]
        slots = clean.shape[1] // 36
        sigmas = draw_sigmas(len(rows), slots, self.mix, generator)
        noisy, target, per_token = add_noise((clean - self.mean) / self.scale, sigmas, generator)
        velocity = fast_forward(
            self.model, noisy.to(self.dtype), sigmas, states.to(self.dtype), mask, self.rotary[kind], self.block
        )
        return flow_loss(velocity, target, per_token, coverage, self.mix)

    def train(self) -> None:
        config, running, began, parent = self.run.config, list[float](), time.monotonic(), os.getppid()
        for step in range(self.plan.start, self.run.total_steps):
            if os.getppid() != parent:  # the run was stopped; an orphan must not go on writing its state
                return
            self.shared.load_into(self.model, self.shared.master)
            self.model.zero_grad(set_to_none=True)
            loss = self.batch_loss(step)
            loss.backward()
            self.shared.write_gradients(self.model, self.process)
            self.barrier.wait()
            factor = self.run.rate_factor(step, self.plan.warm_from)
            muon, adam = (config["rates"][name] * factor for name in ("muon", "adam"))
            decay = min(config["average_decay"], (1 + step) / (10 + step))
            self.shared.step(self.process, step - self.plan.warm_from + 1, muon, adam, decay)
            self.barrier.wait()
            running.append(float(loss.detach()))
            if self.process == 0:
                self._record(step + 1, running, began, factor)
                if self.together.wanted.is_set():
                    self.together.stopping.set()
                self._save_if_due(step + 1)
            if len(running) == LOG_EVERY:
                running, began = [], time.monotonic()
            self.barrier.wait()
            if self.together.stopping.is_set():
                return

    def _record(self, done: int, running: list[float], began: float, factor: float) -> None:
        if len(running) == LOG_EVERY:
            seconds = (time.monotonic() - began) / LOG_EVERY
            append_log(
                self.run.log,
                step=done,
                phase=self.run.phase_at(done - 1)["name"],
                loss=round(sum(running) / LOG_EVERY, 4),
                seconds_per_step=round(seconds, 3),
                rate_factor=round(factor, 3),
            )

    def _save_if_due(self, done: int) -> None:
        due = time.monotonic() - self.saved_at > SAVE_SECONDS
        if due or done == self.run.total_steps or self.together.stopping.is_set():
            save_state(self.run.state, self.shared.state(), done)
            self.saved_at = time.monotonic()


def _work(run: Run, shared: SharedParameters, together: Together, process: int, plan: Plan) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the parent decides; it ends a process that does not listen
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Worker(run, shared, together, process, plan).train()


def pretrain(run: Run, carried: Path | None = None) -> None:
    """Trains to the end of the plan, from the run's state, else from a carried state, else from the beginning.

    SIGTERM or Ctrl+C ends it after the current step with its state saved.

    Raises: RuntimeError if a process of the run dies.
    """
    # Without these, freeing large tensors costs a fifth of the time in page faults (TRAINING.md).
    os.environ.update(MALLOC_MMAP_MAX_="0", MALLOC_TRIM_THRESHOLD_="20000000000", OMP_NUM_THREADS="1")
    processes = int(run.config["processes"])
    shared = SharedParameters.of(make_transformer(run.config), processes)
    start = warm = 0
    if run.state.exists():
        state, start = load_state(run.state)
        shared.load_state(state)
    elif carried is not None and carried.exists():
        state, start = load_carried_state(carried)
        shared.load_state(state)
        warm = start
    plan = Plan(start, warm, compute_dtype(torch.device("cpu")))
    append_log(run.log, event="start", step=start, dtype=str(plan.dtype), torch=torch.__version__, processes=processes)
    context = torch.multiprocessing.get_context("spawn")
    together = Together(context.Barrier(processes), context.Event(), context.Event())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: together.wanted.set())
    workers = [
        context.Process(target=_work, args=(run, shared, together, process, plan), daemon=True)
        for process in range(processes)
    ]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        time.sleep(0.5)
        if any(worker.exitcode not in (None, 0) for worker in workers):
            for worker in workers:
                worker.kill()
            raise RuntimeError("a training process died; start again to resume from the last state")
