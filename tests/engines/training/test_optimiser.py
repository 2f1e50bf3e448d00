"""Muon and the shared parameters. Shape legend: M matrices of r rows and c columns."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engines.training.muon import muon_update, orthogonalise
from engines.training.shared_parameters import ADAM_BETAS, SharedParameters


def matrices(rows: int, columns: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(3, rows, columns, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("rows", "columns"), [(32, 96), (96, 32)])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
def test_orthogonalised_matrices_have_singular_values_in_a_band(rows: int, columns: int, scale: float) -> None:
    """Four rounds of Polar Express end within 1 ± 0.57; rounding lifts a few of the largest above it."""
    result = orthogonalise(matrices(rows, columns) * scale)
    assert result.shape == (3, rows, columns)
    values = torch.linalg.svdvals(result.float())
    assert values.min() > 0.4
    assert values.quantile(0.9) < 1.6
    assert values.max() < 2.8


def test_small_singular_values_are_lifted_into_the_band() -> None:
    """Singular values spread over two decades become alike."""
    basis = torch.linalg.qr(matrices(48, 48)).Q
    other = torch.linalg.qr(matrices(48, 48, seed=1)).Q
    spread = basis * torch.logspace(-2, 0, 48) @ other
    values = torch.linalg.svdvals(orthogonalise(spread).float())
    assert values.min() > 0.4
    assert values.max() / values.min() < 7


def test_the_direction_is_that_of_the_nearest_orthogonal_matrix() -> None:
    """Closer to the polar factor U·Vᵀ than the matrix itself is."""
    gradient = matrices(32, 96) * torch.logspace(-1, 0, 96)
    left, _, right = torch.linalg.svd(gradient, full_matrices=False)
    polar = left @ right

    def cosine(x: torch.Tensor) -> torch.Tensor:
        return (x * polar).sum((1, 2)) / x.flatten(1).norm(dim=1) / polar.flatten(1).norm(dim=1)

    result = orthogonalise(gradient).float()
    assert cosine(result).min() > 0.9
    assert (cosine(result) > cosine(gradient)).all()


def test_nothing_stays_nothing() -> None:
    assert not orthogonalise(torch.zeros(2, 8, 16)).any()


def test_momentum_accumulates_and_the_next_gradient_is_looked_at() -> None:
    first, second, momentum = matrices(8, 24), matrices(8, 24, seed=1), torch.zeros(3, 8, 24)
    muon_update(first, momentum)
    assert torch.equal(momentum, first)
    direction = muon_update(second, momentum)
    assert torch.allclose(momentum, 0.95 * first + second)
    expected = orthogonalise(second + 0.95 * (0.95 * first + second)).float()
    assert torch.allclose(direction, expected)


def test_tall_matrices_step_further() -> None:
    tall = muon_update(matrices(64, 16), torch.zeros(3, 64, 16))
    assert float(torch.linalg.svdvals(tall).median()) == pytest.approx(2.0, rel=0.25)


class Trunk(nn.Module):
    """What a transformer looks like to the optimiser: block matrices of two shapes, and the small rest."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.proj_in = nn.Linear(4, 8)
        self.transformer_blocks = nn.ModuleList(nn.ModuleList([nn.Linear(8, 8), nn.Linear(8, 24)]) for _ in range(3))
        for block in self.transformer_blocks:
            block.register_parameter("scale_shift_table", nn.Parameter(torch.randn(6, 8)))


def representable_gradients(size: int, seed: int) -> torch.Tensor:
    """Multiples of 1/64 up to 1: they and the mean of two are exact in bfloat16."""
    return torch.randint(-64, 65, (size,), generator=torch.Generator().manual_seed(seed)) / 64


def run_steps(processes: int, steps: int) -> SharedParameters:
    """The same gradients, as rows of two processes or as their mean; processes step one after the other."""
    shared = SharedParameters.of(Trunk(), processes)
    for step in range(steps):
        rows = torch.stack([representable_gradients(len(shared.master), 10 * step + row) for row in range(2)])
        shared.gradients.copy_(rows if processes == 2 else rows.mean(0, keepdim=True))
        for process in range(processes):
            shared.step(process, step + 1, muon_rate=0.02, adam_rate=0.01, average_decay=0.9)
    return shared


def test_two_processes_are_one_process_on_the_mean_gradient() -> None:
    two, one = run_steps(2, 3), run_steps(1, 3)
    moved = two.master != SharedParameters.of(Trunk(), 1).master
    assert moved.float().mean() > 0.98  # few gradients are zero in all steps
    for name, value in one.state().items():
        assert torch.allclose(two.state()[name], value, atol=1e-6), name


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_every_weight_has_exactly_one_owner(processes: int) -> None:
    shared = SharedParameters.of(Trunk(), processes)
    owners = torch.zeros(len(shared.master), dtype=torch.int)
    for group in shared.groups:
        for start, _ in group.places:
            owners[start : start + torch.Size(group.shape).numel()] += 1
    assert (owners == 1).all()
    assert {group.owner for group in shared.groups} == set(range(processes))


def test_matrices_of_blocks_go_to_muon_and_the_rest_to_adam() -> None:
    shared = SharedParameters.of(Trunk(), 2)
    kinds = {name: group.kind for group in shared.groups for _, name in group.places}
    muon = {name for name, kind in kinds.items() if kind == "muon"}
    assert muon == {f"transformer_blocks.{block}.{layer}.weight" for block in range(3) for layer in range(2)}
    assert kinds["proj_in.weight"] == "adam"
    assert kinds["transformer_blocks.0.scale_shift_table"] == "adam"


def test_the_rest_steps_as_torchs_adam_does() -> None:
    model = Trunk()
    reference = torch.optim.Adam(model.parameters(), lr=0.01, betas=ADAM_BETAS, eps=1e-8)
    shared = SharedParameters.of(model, 1)
    for step in range(3):
        gradient = representable_gradients(len(shared.master), step)
        views = shared.view(gradient)
        for name, parameter in model.named_parameters():
            parameter.grad = views[name].clone()
        shared.write_gradients(model, 0)
        shared.step(0, step + 1, muon_rate=0.02, adam_rate=0.01, average_decay=0.9)
        reference.step()
    trained = shared.view(shared.master)
    parameters = dict(model.named_parameters())
    for group in shared.groups:
        for _, name in group.places:
            if group.kind == "adam":
                assert torch.allclose(trained[name], parameters[name], atol=1e-6), name


def test_the_average_follows_the_weights() -> None:
    shared = SharedParameters.of(Trunk(), 1)
    before = shared.master.clone()
    shared.gradients.copy_(representable_gradients(len(before), 0))
    shared.step(0, 1, muon_rate=0.02, adam_rate=0.01, average_decay=0.75)
    assert torch.allclose(shared.average, 0.75 * before + 0.25 * shared.master, atol=1e-6)


def test_weights_and_gradients_go_to_and_from_the_model() -> None:
    model = Trunk()
    shared = SharedParameters.of(model, 2)
    flat = torch.arange(len(shared.master), dtype=torch.float32)
    shared.load_into(model, flat)
    assert torch.equal(torch.cat([parameter.flatten() for parameter in model.parameters()]), flat)
    shared.gradients.fill_(1)
    model.proj_in.weight.grad = torch.full((8, 4), 0.5)
    shared.write_gradients(model, 1)
    views = shared.view(shared.gradients[1])
    assert (views["proj_in.weight"] == 0.5).all()
    assert not views["proj_in.bias"].any()  # no gradient is zero, not what was there before
    assert (shared.gradients[0] == 1).all()


def test_a_state_is_taken_up_again() -> None:
    trained, fresh = run_steps(1, 2), SharedParameters.of(Trunk(), 2)
    fresh.load_state({name: value.clone() for name, value in trained.state().items()})
    for name, value in trained.state().items():
        assert torch.equal(fresh.state()[name], value)
