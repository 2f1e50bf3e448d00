"""Matrices in fewer bits: how far they are off, and that a model knows nothing of it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engines.backend.memory.small_weights import BYTES_PER_VALUE, SmallWeights, WeightFormat, small

FORMS = list(WeightFormat)[1:]
# Of the root mean square of normally distributed weights.
ERRORS = {WeightFormat.INT8: 0.012, WeightFormat.FP8: 0.03, WeightFormat.INT4: 0.09}


@pytest.fixture
def weight() -> torch.Tensor:
    return torch.randn(96, 64, 3, generator=torch.Generator().manual_seed(1)) * 0.02


@pytest.mark.parametrize("form", FORMS)
def test_a_matrix_comes_back_nearly_as_it_was(form: WeightFormat, weight: torch.Tensor) -> None:
    back = small(weight, form).whole(torch.float32)
    assert back.shape == weight.shape
    assert 0 < float((back - weight).pow(2).mean().sqrt() / weight.pow(2).mean().sqrt()) < ERRORS[form]


def test_formats_stand_in_the_order_of_their_faithfulness(weight: torch.Tensor) -> None:
    errors = [float((small(weight, form).whole(torch.float32) - weight).abs().mean()) for form in FORMS]
    assert errors == sorted(errors)


@pytest.mark.parametrize("form", FORMS)
def test_it_takes_the_bytes_that_a_plan_counts(form: WeightFormat, weight: torch.Tensor) -> None:
    stored = small(weight, form)
    taken = sum(value.nbytes for value in vars(stored).values() if isinstance(value, torch.Tensor))
    assert taken / weight.numel() == pytest.approx(BYTES_PER_VALUE[form], rel=0.05)


@pytest.mark.parametrize("value", [0.0, 1.5, -3.0])
@pytest.mark.parametrize("form", FORMS)
def test_rows_of_one_value_have_no_step_to_divide_by(form: WeightFormat, value: float) -> None:
    assert torch.allclose(small(torch.full((4, 32), value), form).whole(torch.float32), torch.tensor(value), rtol=1e-2)


def test_rows_that_do_not_divide_into_groups_take_eight_bits() -> None:
    weight = torch.randn(8, 33, generator=torch.Generator().manual_seed(2))
    four, eight = (small(weight, form).whole(torch.float32) for form in (WeightFormat.INT4, WeightFormat.INT8))
    assert torch.equal(four, eight)


def test_a_model_computes_with_them_and_is_itself_again_when_undone() -> None:
    model = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 64), nn.LayerNorm(64))
    given = torch.randn(2, 64)
    before, weights = model(given), {name: value.detach().clone() for name, value in model.named_parameters()}
    held = SmallWeights(model, WeightFormat.INT8)
    assert "0.weight" in held
    assert "0.bias" not in held
    assert "2.weight" not in held
    for name in ("0.weight", "1.weight"):
        held.hold(name, weights[name])
        layer = model.get_submodule(name[0])
        layer._parameters["weight"] = nn.Parameter(weights[name].to("meta"))
    after = model(given)
    assert 0 < float((after - before).abs().max()) < 0.05
    assert model[0].weight.is_meta, "what was brought for the layer has gone again"
    held.undo()
    for name in ("0.weight", "1.weight"):
        model.get_submodule(name[0])._parameters["weight"] = nn.Parameter(weights[name])
    assert torch.equal(model(given), before)
