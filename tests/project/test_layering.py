"""Arrows point down. What import-linter cannot say (allow-lists, what an import loads) is said here."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUESTS = sorted(path.relative_to(ROOT) for path in ROOT.glob("engines/*/request.py"))


def imported_modules(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            found.add(node.module or "")
    return found


def foreign(package: str, modules: set[str]) -> set[str]:
    """Those modules of ours that neither belong to the package nor are the error tree."""
    ours = {name for name in modules if name.split(".")[0] in {"engines", "studio", "benchmarks"}}
    return {name for name in ours if name != "engines.errors" and not f"{name}.".startswith(f"{package}.")}


def loaded_by(statement: str) -> set[str]:
    """Top-level packages that a fresh interpreter holds after the statement."""
    code = f"{statement}\nimport sys\nprint(' '.join(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_contracts() -> None:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("package", ["engines.sampling", "engines.media"])
def test_pure_packages_import_nothing_of_ours_but_errors(package: str) -> None:
    files = sorted((ROOT / package.replace(".", "/")).rglob("*.py"))
    assert files
    found = {
        str(path.relative_to(ROOT)): foreign(package, imported_modules(path.read_text(encoding="utf-8")))
        for path in files
    }
    assert {path: names for path, names in found.items() if names} == {}


def test_the_check_finds_a_foreign_import() -> None:
    source = (
        "from engines.errors import UserError\nfrom engines.media.clip import Clip\nimport engines.backend.registry"
    )
    assert foreign("engines.media", imported_modules(source)) == {"engines.backend.registry"}


@pytest.mark.parametrize("request_file", REQUESTS, ids=str)
def test_a_request_leaves_torch_unloaded(request_file: Path) -> None:
    module = ".".join(request_file.with_suffix("").parts)
    loaded = loaded_by(f"import {module}")
    assert "pydantic" in loaded
    assert not loaded & {"torch", "gradio", "diffusers", "transformers"}


@pytest.mark.parametrize("module", ["studio", "app", "studio.page", "studio.papers"])
def test_the_page_leaves_torch_unloaded(module: str) -> None:
    loaded = loaded_by(f"import {module}")
    assert module.split(".")[0] in loaded
    assert not loaded & {"torch", "diffusers", "transformers"}


def test_importing_the_annotators_leaves_torch_unloaded() -> None:
    assert "torch" not in loaded_by("import engines.conditioning.annotators")
