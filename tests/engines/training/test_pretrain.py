"""A run that is killed goes on as if nothing had been: the same bits. Six steps of a tiny model in float32."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from engines.training import pretrain as pretrain_module
from engines.training import run_state
from engines.training.pretrain import Plan, Together, Worker, make_transformer, pretrain
from engines.training.run import REWARM_STEPS, Run
from engines.training.run_state import load_carried_state, load_state, save_carried_state
from engines.training.shared_parameters import SharedParameters

MakeRun = Callable[..., Run]


def train_in_threads(
    run: Run,
    start: int = 0,
    warm_from: int = 0,
    state: dict[str, torch.Tensor] | None = None,
    stop: bool = False,
) -> None:
    """All of a run's workers in this process: what `pretrain` does in several, without starting them."""
    processes = run.config["processes"]
    shared = SharedParameters.of(make_transformer(run.config), processes)
    if state is not None:
        shared.load_state(state)
    together = Together(threading.Barrier(processes, timeout=60), threading.Event(), threading.Event())
    if stop:
        together.wanted.set()
    plan = Plan(start, warm_from, torch.float32)
    workers = [Worker(run, shared, together, process, plan) for process in range(processes)]

    def train(worker: Worker) -> None:
        try:
            worker.train()
        except Exception:
            together.barrier.abort()  # or the others would wait for this one for ever
            raise

    with ThreadPoolExecutor(processes) as pool:
        results = [pool.submit(train, worker) for worker in workers]
    failures = [error for error in (result.exception() for result in results) if error is not None]
    for error in sorted(failures, key=lambda error: isinstance(error, threading.BrokenBarrierError)):
        raise error


def killed(run: Run, patch: Callable[[int], None], step: int) -> int:
    """Trains in a fresh process that `patch(step)` arranges to kill (a forked one would inherit torch's threads).

    Returns: the signal that ended it.
    """
    script = (
        "import sys, pathlib, tests.engines.training.test_pretrain as here; folder = pathlib.Path(sys.argv[1]); "
        "getattr(here, sys.argv[2])(int(sys.argv[3])); "
        "here.train_in_threads(here.Run.open(folder, folder / 'config.yaml'))"
    )
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-c", script, str(run.folder), patch.__name__, str(step)]
    return -subprocess.run(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=False).returncode


def die_after_saving(step: int) -> None:
    """Saves after every step, and dies by SIGKILL right after the given step's state is complete."""
    save = pretrain_module.save_state

    def save_and_die(path: Path, tensors: dict[str, torch.Tensor], done: int) -> None:
        save(path, tensors, done)
        if done == step:
            os.kill(os.getpid(), signal.SIGKILL)

    pretrain_module.SAVE_SECONDS = -1.0
    pretrain_module.save_state = save_and_die


def die_while_saving(step: int) -> None:
    """As above, but in the middle of writing: the new file is there, the old one not yet replaced."""
    replace, count = os.replace, [0]

    def die_instead(*arguments: Any) -> None:
        count[0] += 1
        if count[0] == step:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(*arguments)

    pretrain_module.SAVE_SECONDS = -1.0
    run_state.os.replace = die_instead


def assert_equal_states(first: Path, second: Path) -> None:
    (ours, our_step), (theirs, their_step) = load_state(first), load_state(second)
    assert our_step == their_step
    assert ours.keys() == theirs.keys() == {"master", "average", "first", "second"}
    for name, value in ours.items():
        assert torch.equal(value, theirs[name]), name


@pytest.fixture
def uninterrupted(make_run: MakeRun) -> Run:
    """Six steps in one go."""
    run = make_run("uninterrupted", steps=6)
    train_in_threads(run)
    return run


def test_training_moves_every_weight_and_the_average_behind_it(uninterrupted: Run) -> None:
    state, step = load_state(uninterrupted.state)
    assert step == 6
    fresh = SharedParameters.of(make_transformer(uninterrupted.config), 1)
    views, before = fresh.view(state["master"]), fresh.view(fresh.master)
    still = [name for name in views if torch.equal(views[name], before[name])]
    assert still == []
    behind = (state["average"] - fresh.master).norm() / (state["master"] - fresh.master).norm()
    assert 0.05 < behind < 1


def test_a_killed_run_resumes_bit_for_bit_in_other_processes(uninterrupted: Run, make_run: MakeRun) -> None:
    """Killed after step 3, then taken up by the real thing: two spawned processes on shared memory."""
    run = make_run("killed", steps=6)
    assert killed(run, die_after_saving, 3) == signal.SIGKILL
    assert load_state(run.state)[1] == 3
    pretrain(run)
    assert_equal_states(run.state, uninterrupted.state)
    records = [json.loads(line) for line in run.log.read_text(encoding="utf-8").splitlines()]
    assert [(record["event"], record["step"]) for record in records] == [("start", 3)]
    assert records[0]["dtype"] == "torch.float32"
    assert records[0]["processes"] == 2


def test_a_kill_in_the_middle_of_saving_costs_one_step(uninterrupted: Run, make_run: MakeRun) -> None:
    run = make_run("torn", steps=6)
    assert killed(run, die_while_saving, 4) == signal.SIGKILL
    assert run.state.with_suffix(".part").exists()
    state, step = load_state(run.state)
    assert step == 3
    train_in_threads(run, start=step, state=state)
    assert_equal_states(run.state, uninterrupted.state)


def test_a_run_that_is_asked_to_stop_saves_after_the_step(uninterrupted: Run, make_run: MakeRun) -> None:
    run = make_run("stopped", steps=6)
    train_in_threads(run, stop=True)
    state, step = load_state(run.state)
    assert step == 1
    train_in_threads(run, start=step, state=state)
    assert_equal_states(run.state, uninterrupted.state)


def test_a_phase_may_have_noise_levels_and_pictures_of_its_own(make_run: MakeRun) -> None:
    ends = []
    for name, changes in (
        ("usual", {}),
        ("low", {"logit_mean": -1.0}),
        ("stills", {"shares": {"stills of clips": 1.0}}),
        ("words", {"words": {"a ": 50.0}}),
    ):
        run = make_run(name, steps=1, processes=1)
        run.config["phases"][0] |= changes
        before = dict(os.environ), signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
        pretrain(run)
        assert before == (dict(os.environ), signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))
        ends.append(load_state(run.state)[0]["master"])
    assert not torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])
    assert not torch.equal(ends[0], ends[3])


def test_another_seed_ends_elsewhere(uninterrupted: Run, make_run: MakeRun) -> None:
    """The comparisons above would be empty if every run ended in the same place."""
    run = make_run("other", steps=6)
    run.config["seed"] = 6
    train_in_threads(run)
    assert not torch.equal(load_state(run.state)[0]["master"], load_state(uninterrupted.state)[0]["master"])


def test_a_carried_state_goes_on_warming_up_again(uninterrupted: Run, make_run: MakeRun) -> None:
    """A machine that lost its disk: the average becomes the weights, and the first steps are small."""
    run = make_run("carried", steps=9, processes=1)
    carried = run.folder / "carried.safetensors"
    save_carried_state(carried, uninterrupted.state)
    begun, start = load_carried_state(carried)
    assert start == 6
    pretrain(run, carried)
    state, step = load_state(run.state)
    assert step == 9
    assert json.loads(run.log.read_text(encoding="utf-8").splitlines()[0])["step"] == 6
    moved = (state["master"] - begun["master"]).abs()
    assert moved.max() > 0
    # Adam moves a weight by at most about its rate: three steps of the warm-up after a carried state, 1 … 3 of 200.
    adam = run.config["rates"]["adam"] * 6 / REWARM_STEPS
    shared = SharedParameters.of(make_transformer(run.config), 1)
    rest = [shared.view(moved)[name] for group in shared.groups if group.kind == "adam" for _, name in group.places]
    assert 0 < max(float(part.max()) for part in rest) < 1.5 * adam


def test_the_log_tells_of_every_twentieth_step(make_run: MakeRun) -> None:
    run = make_run("logged", steps=41, processes=1)
    train_in_threads(run)
    records = [json.loads(line) for line in run.log.read_text(encoding="utf-8").splitlines()]
    assert [record["step"] for record in records] == [20, 40]
    for record in records:
        assert record["phase"] == "clips"
        assert 0.1 < record["loss"] < 20
        assert record["seconds_per_step"] > 0


def test_rates_warm_up_stay_and_cool_down(make_run: MakeRun) -> None:
    run = make_run("rates", steps=100)
    run.config["rates"] |= {"warmup": 10, "cooldown": 20, "floor": 0.1}
    factors = [run.rate_factor(step, 0) for step in range(100)]
    assert factors[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert factors[9:81] == [1.0] * 72
    assert factors[90] == pytest.approx(0.5)
    assert factors[-1] == pytest.approx(0.1)
    assert min(factors) == pytest.approx(0.1)
    assert run.rate_factor(50, warm_from=50) == pytest.approx(1 / REWARM_STEPS)


def test_steps_belong_to_phases_in_their_order(make_run: MakeRun) -> None:
    run = make_run("phases", steps=3)
    run.config["phases"] = [{"name": "pictures", "steps": 3}, {"name": "clips", "steps": 2}]
    assert [run.phase_at(step)["name"] for step in (0, 2, 3, 4, 9)] == [
        "pictures",
        "pictures",
        "clips",
        "clips",
        "clips",
    ]
    assert run.total_steps == 5


def test_a_fresh_trunk_predicts_nothing_and_is_always_the_same(make_run: MakeRun) -> None:
    """Zero output at first: the first gradients come from the data and not from chance."""
    config = make_run("fresh", steps=1).config
    first, second = make_transformer(config), make_transformer(config)
    assert not first.proj_out.weight.any()
    assert first.rope.theta == 128.0
    for (name, parameter), other in zip(first.named_parameters(), second.parameters(), strict=True):
        assert torch.equal(parameter, other), name
