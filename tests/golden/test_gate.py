"""The gate itself: it must close."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.golden import golden_file
from tests.golden.golden_file import compare_with_golden


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FRAMEWRIGHT_RENEW_GOLDEN", "1")
    compare_with_golden("case", {"x": torch.ones(3)}, "r1", tmp_path)
    monkeypatch.delenv("FRAMEWRIGHT_RENEW_GOLDEN")
    return tmp_path


def test_equal_bits_pass(stored: Path) -> None:
    compare_with_golden("case", {"x": torch.ones(3)}, "r1", stored)


def test_one_bit_fails_in_an_equal_environment(stored: Path) -> None:
    with pytest.raises(AssertionError, match="in an equal environment"):
        compare_with_golden("case", {"x": torch.ones(3) + 1e-6}, "r1", stored)


def test_another_environment_is_allowed_little_and_is_named(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = golden_file.fingerprint
    monkeypatch.setattr(golden_file, "fingerprint", lambda *given: real(*given) | {"torch": "9.9"})
    compare_with_golden("case", {"x": torch.ones(3) + 5e-5}, "r1", stored)
    with pytest.raises(AssertionError, match=r"torch: 9\.9 here"):
        compare_with_golden("case", {"x": torch.ones(3) + 2e-4}, "r1", stored)


def test_other_weights_and_missing_files_say_what_to_do(stored: Path) -> None:
    with pytest.raises(AssertionError, match="make golden"):
        compare_with_golden("case", {"x": torch.ones(3)}, "r2", stored)
    with pytest.raises(AssertionError, match="make golden"):
        compare_with_golden("other", {"x": torch.ones(3)}, "r1", stored)
