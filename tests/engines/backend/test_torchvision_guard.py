"""A torchvision that cannot load must not take diffusers down with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CUDA_TORCH = "__version__ = '2.13.0+cu130'\ncuda: Optional[str] = '13.0'\n"
CPU_TORCH = "__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None\n"
CUDA_VISION = "__version__ = '0.28.0+cu130'\n"
CPU_VISION = "__version__ = '0.28.0'\n"


def package(folder: Path, name: str, version_file: str) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')\n")
    (folder / name / "version.py").write_text(version_file)


def after_importing_the_backend(folder: Path, expression: str) -> str:
    """The expression's value in a fresh interpreter that finds the packages of the folder first."""
    code = (
        f"import importlib.util, sys; sys.path.insert(0, {str(folder)!r})\n"
        "import engines.backend\n"
        f"print({expression})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("torch", "torchvision", "hidden"),
    [
        (CPU_TORCH, CUDA_VISION, True),
        (CUDA_TORCH, CUDA_VISION, False),
        (CPU_TORCH, CPU_VISION, False),
        (CUDA_TORCH, CPU_VISION, False),
    ],
    ids=["cuda-beside-cpu", "both-cuda", "both-cpu", "cpu-beside-cuda"],
)
def test_only_a_torchvision_that_cannot_load_is_hidden(
    tmp_path: Path, torch: str, torchvision: str, hidden: bool
) -> None:
    package(tmp_path, "torch", torch)
    package(tmp_path, "torchvision", torchvision)
    assert after_importing_the_backend(tmp_path, "importlib.util.find_spec('torchvision') is None") == str(hidden)


def test_importing_the_backend_leaves_torch_unloaded(tmp_path: Path) -> None:
    assert after_importing_the_backend(tmp_path, "'torch' in sys.modules") == "False"
