"""The trunk's training run: several processes on one shared set of weights, resumable after a kill at any moment.

Batches are a function of (seed, step, process), so a resumed run draws what the killed one would have drawn.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from diffusers import LTXVideoTransformer3DModel

from engines.backend.autoencoders.patch_video import TIME, PatchVideoAutoencoder
from engines.backend.precision import compute_dtype
from engines.backend.text_encoders import load_minilm
from engines.conditioning.given import Grid
from engines.errors import InvalidRequest
from engines.training.cache_rows import CachePlan
from engines.training.continued import continued_transformer
from engines.training.fast_forward import block_forward, fast_forward, rotary_tables
from engines.training.flow_batch import NoiseMix, Pattern, add_noise, draw_pattern, draw_sigmas, flow_loss, kept_tokens
from engines.training.latent_cache import TEXT_TOKENS, LatentCache, Rows, Stills, open_named
from engines.training.process_settings import ended_by_signals, environment_of_workers
from engines.training.run import Run, keep_config
from engines.training.run_state import append_log, load_carried_state, load_state, save_state
from engines.training.shared_parameters import SharedParameters

FPS = 24
SAVE_SECONDS = 180.0
LOG_EVERY = 20
CURVE = "training_curve.jsonl"  # of an exported model


def make_transformer(config: dict[str, Any]) -> LTXVideoTransformer3DModel:
    """A fresh trunk: seeded, with zero-initialised output, and the run's rotary base."""
    torch.manual_seed(config["seed"])
    channels = config["tokenizer"]["channels"]
    model = LTXVideoTransformer3DModel(in_channels=channels, out_channels=channels, **config["model"])
    model.rope.theta = config["rope_theta"]
    torch.nn.init.zeros_(model.proj_out.weight)
    return model


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
        self.caches: dict[str, LatentCache | Stills] = {}
        self.row_shares: dict[tuple[str, tuple[tuple[str, float], ...]], npt.NDArray[np.float64]] = {}
        vae = PatchVideoAutoencoder.from_pretrained(run.folder / "vae")
        self.mean, self.scale = vae.latents_mean, vae.latents_std
        self.dtype = plan.dtype
        self.model = make_transformer(run.config).to(plan.dtype)
        self.rotary: dict[tuple[Grid, tuple[int, ...]], tuple[torch.Tensor, torch.Tensor]] = {}
        self.empty = load_minilm(TEXT_TOKENS).encode([""])
        # Compiling takes minutes and a C++ compiler: not worth it for a run of a few steps. With sizes left open three
        # graphs serve all shapes, lengths of captions and masks; it halves the time of a step.
        compiled = run.config.get("compile", True)
        self.block = torch.compile(block_forward, dynamic=True) if compiled else block_forward
        self.saved_at = time.monotonic()

    def cache(self, kind: str) -> LatentCache | Stills:
        """A cache is opened when first needed: pictures can train while clips are still being rendered."""
        if kind not in self.caches:
            self.caches[kind] = open_named(self.run.folder / "cache", kind)
        return self.caches[kind]

    def batch_loss(self, step: int) -> torch.Tensor:
        """The loss of this process's share of a step."""
        config, seed = self.run.config, [self.run.config["seed"], step, self.process]
        numbers, shared = np.random.default_rng(seed), np.random.default_rng(seed[:2])
        phase = self.run.phase_at(step)
        shares = phase["shares"]
        # All processes take the same shape and pattern in a step, so that none waits for another.
        kind = str(shared.choice(list(shares), p=np.array(list(shares.values())) / sum(shares.values())))
        cache = self.cache(kind)
        together = torch.Generator().manual_seed(int(shared.integers(2**62)))
        grid = self._grid(kind, cache.plan, together)
        keyframes = tuple(frame for frame in cache.plan.keyframes if TIME * grid.first_slot < frame <= grid.last_frame)
        mix = self.mix if phase.get("logit_mean") is None else replace(self.mix, logit_mean=phase["logit_mean"])
        pattern = draw_pattern(grid, keyframes, mix, together)
        batch = max(1, config["tokens_per_batch"] // len(pattern.made))
        often = self._row_shares(kind, phase.get("words", {}))
        rows = cache.batch(numbers.choice(len(cache), batch, replace=False, p=often))
        generator = torch.Generator().manual_seed(int(numbers.integers(2**62)))
        clean, coverage = self._tokens(rows, cache.plan, pattern)
        states, mask = self._text(rows, generator)
        sigmas = draw_sigmas(pattern, batch, mix, generator)
        noisy, target, per_token = add_noise(clean, sigmas, generator)
        keep = kept_tokens(pattern, phase.get("keep", 1.0), generator)
        velocity = fast_forward(
            self.model,
            noisy.to(self.dtype),
            sigmas,
            states.to(self.dtype),
            mask,
            self._rotary(pattern),
            self.block,
            keep,
        )
        made = pattern.made
        if keep is not None:
            target, per_token, coverage, made = target[:, keep], per_token[:, keep], coverage[:, keep], made[keep]
        return flow_loss(velocity, target, per_token, coverage, made, mix)

    def _row_shares(self, kind: str, words: Mapping[str, float]) -> npt.NDArray[np.float64] | None:
        """How likely each clip of a cache is drawn, [n]; None where all are alike."""
        if not words:
            return None
        key = (kind, tuple(words.items()))
        if key not in self.row_shares:
            weights = self.cache(kind).weights(words)
            self.row_shares[key] = weights / weights.sum()
        return self.row_shares[key]

    def _grid(self, kind: str, plan: CachePlan, generator: torch.Generator) -> Grid:
        """The whole clip, or of a long one a window from anywhere."""
        slots = int(self.run.config.get("window_slots", {}).get(kind, plan.slots))
        first = 0
        if slots < plan.slots:
            if torch.rand((), generator=generator) < self.mix.window:
                first = int(torch.randint(1, plan.slots - slots + 1, (), generator=generator))
            else:
                slots = plan.slots
        return Grid(slots, plan.rows, plan.columns, FPS, first)

    def _tokens(self, rows: Rows, plan: CachePlan, pattern: Pattern) -> tuple[torch.Tensor, torch.Tensor]:
        """Normalised tokens [B, M, C] and their coverage [B, M]; what is given needs none."""
        grid = pattern.grid
        part = slice(grid.first_slot * grid.cells, (grid.first_slot + grid.slots) * grid.cells)
        keys = [rows.keys[:, plan.keyframes.index(frame)] for frame in pattern.given.keyframes]
        clean = torch.cat([rows.latents[:, part], *keys], dim=1)
        none = torch.zeros(len(clean), len(keys) * grid.cells)
        return (clean - self.mean) / self.scale, torch.cat([rows.coverage[:, part], none], dim=1)

    def _text(self, rows: Rows, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """States and mask, some of them of the empty prompt."""
        states, mask = rows.states, rows.mask
        dropped = torch.rand(len(states), generator=generator) < self.mix.text_dropout
        longest = states.shape[1]
        states[dropped], mask[dropped] = self.empty.values[:, :longest], self.empty.mask[:, :longest]
        return states, mask

    def _rotary(self, pattern: Pattern) -> tuple[torch.Tensor, torch.Tensor]:
        key = (pattern.grid, pattern.given.keyframes)
        if key not in self.rotary:
            self.rotary[key] = rotary_tables(self.model, pattern.coordinates)
        return self.rotary[key]

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


def _begin(run: Run, shared: SharedParameters, carried: Path | None) -> Plan:
    """Fills the weights from the run's state, else a carried state, else the model that the run goes on from."""
    start = warm = 0
    if run.state.exists():
        state, start = load_state(run.state)
        shared.load_state(state)
    elif carried is not None:
        if not carried.exists():
            raise InvalidRequest(
                f"There is no carried state {carried}.", "Leave out --carried to begin from the start.", "carried"
            )
        state, start = load_carried_state(carried)
        shared.load_state(state)
        warm = start
    elif run.config.get("continue_from"):
        before = Path(run.config["continue_from"])
        begun = continued_transformer(before, run.folder / "vae", make_transformer(run.config))
        if (before / CURVE).exists():
            shutil.copyfile(before / CURVE, run.earlier_curve)
        for flat in (shared.master, shared.average):
            flat.copy_(SharedParameters.of(begun, 1).master)
    return Plan(start, warm, compute_dtype(torch.device("cpu")))


def pretrain(run: Run, carried: Path | None = None, look: Callable[[], None] = lambda: None) -> None:
    """Trains to the end of the plan, from the run's state, else from a carried state, else from the beginning.

    SIGTERM or Ctrl+C ends it after the current step with its state saved.

    Args:
        look: Called twice a second while others train.

    Raises: InvalidRequest for a run that was not prepared or was begun with another configuration; RuntimeError if a
        process of the run dies.
    """
    if not (run.folder / "vae" / "config.json").exists():
        raise InvalidRequest(f"The run in {run.folder} is not prepared.", "Run the command prepare first.", "run")
    keep_config(run)
    processes = int(run.config["processes"])
    shared = SharedParameters.of(make_transformer(run.config), processes)
    plan = _begin(run, shared, carried)
    append_log(
        run.log, event="start", step=plan.start, dtype=str(plan.dtype), torch=torch.__version__, processes=processes
    )
    context = torch.multiprocessing.get_context("spawn")
    together = Together(context.Barrier(processes), context.Event(), context.Event())
    workers = [
        context.Process(target=_work, args=(run, shared, together, process, plan), daemon=True)
        for process in range(processes)
    ]
    with ended_by_signals(together.wanted.set):
        with environment_of_workers():
            for worker in workers:
                worker.start()
        while any(worker.is_alive() for worker in workers):
            time.sleep(0.5)
            look()
            if any(worker.exitcode not in (None, 0) for worker in workers):
                for worker in workers:
                    worker.kill()
                raise RuntimeError("a training process died; start again to resume from the last state")
