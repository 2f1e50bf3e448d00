"""The probe's decision, its override, and what a fingerprint tells apart."""

from __future__ import annotations

import pytest
import torch

from engines.backend.device import select_device
from engines.backend.fingerprint import differences, fingerprint
from engines.backend.precision import ENVIRONMENT, REQUIRED_GAIN, compute_dtype, measure_gains, probe_cpu_dtype

CPU = torch.device("cpu")


def test_the_environment_overrides_the_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        monkeypatch.setenv(ENVIRONMENT, name)
        assert compute_dtype(CPU) == dtype
    monkeypatch.setenv(ENVIRONMENT, "int4")
    with pytest.raises(ValueError, match="float32, bfloat16"):
        compute_dtype(CPU)


def test_the_probe_measures_and_decides_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    gains = measure_gains()
    assert set(gains) == {"matmul", "conv3d"}
    assert min(gains.values()) > 0
    assert compute_dtype(CPU) == probe_cpu_dtype()
    assert probe_cpu_dtype.cache_info().currsize == 1


@pytest.mark.parametrize(
    ("matmul", "conv3d", "expected"),
    [(3.0, 20.0, torch.bfloat16), (0.01, 20.0, torch.float32), (3.0, REQUIRED_GAIN, torch.float32)],
)
def test_float32_when_in_doubt(
    monkeypatch: pytest.MonkeyPatch, matmul: float, conv3d: float, expected: torch.dtype
) -> None:
    monkeypatch.setattr("engines.backend.precision.measure_gains", lambda: {"matmul": matmul, "conv3d": conv3d})
    assert probe_cpu_dtype.__wrapped__() == expected


def test_a_fingerprint_names_what_differs() -> None:
    here = fingerprint(torch.float32, CPU)
    assert here["torch"] == torch.__version__
    assert here["threads"] == str(torch.get_num_threads())
    assert differences(here, dict(here)) == []
    assert differences(here, fingerprint(torch.bfloat16, CPU)) == ["dtype: float32 here, bfloat16 there"]
    assert differences({}, {"torch": "1"}) == ["torch: nothing here, 1 there"]


def test_a_device_is_always_found() -> None:
    assert select_device().type in {"cpu", "cuda", "mps"}
