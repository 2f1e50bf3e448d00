"""What the code imports is pinned, what is pinned is the tested set, and the stack is named whole."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STACK = {
    "gradio", "torch", "diffusers", "transformers", "controlnet-aux",
    "accelerate", "peft", "moviepy", "opencv-python-headless", "huggingface-hub",
}  # fmt: skip
OURS = {"app", "benchmarks", "engines", "scripts", "studio", "tests"}
# Where the import and the distribution have different names and the package may not be installed to say so.
DISTRIBUTIONS = {"controlnet_aux": "controlnet-aux", "yaml": "pyyaml"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(name: str) -> dict[str, str]:
    """Distribution → version of a requirements file; refuses a line that is not an exact pin."""
    found = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            match = re.fullmatch(r"([A-Za-z0-9._-]+)==([0-9][0-9A-Za-z.]*)", line)
            assert match, f"{name}: “{line}” is not an exact pin without local suffix"
            found[normal(match[1])] = match[2]
    return found


def third_party_imports(paths: list[Path]) -> dict[str, str]:
    """Top-level module that is neither ours nor Python's → a file that imports it."""
    found = {}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for module in {name.split(".")[0] for name in names} - OURS - set(sys.stdlib_module_names) - {"__future__"}:
                found[module] = str(path.relative_to(ROOT))
    return found


def unpinned(imports: dict[str, str], pinned: set[str]) -> dict[str, str]:
    """Those imports of which no distribution is pinned."""
    declared = importlib.metadata.packages_distributions()
    candidates = {
        module: {normal(name) for name in [*declared.get(module, []), DISTRIBUTIONS.get(module, module)]}
        for module in imports
    }
    return {module: path for module, path in imports.items() if not candidates[module] & pinned}


def test_requirements_name_the_whole_stack() -> None:
    assert set(pins("requirements.txt")) >= STACK


def test_everything_the_product_imports_is_pinned() -> None:
    product = [ROOT / "app.py"]
    for folder in ("engines", "studio", "scripts", "benchmarks"):
        product += sorted((ROOT / folder).rglob("*.py"))
    imports = third_party_imports(product)
    assert {"numpy", "pydantic"} <= set(imports)
    assert unpinned(imports, set(pins("requirements.txt"))) == {}


def test_everything_the_tests_import_is_pinned() -> None:
    pinned = {**pins("requirements.txt"), **pins("requirements-dev.txt")}
    assert unpinned(third_party_imports(sorted((ROOT / "tests").rglob("*.py"))), set(pinned)) == {}


def test_an_unpinned_import_is_found() -> None:
    imports = {"numpy": "a.py", "no_such_package": "b.py"}
    assert unpinned(imports, {"numpy"}) == {"no_such_package": "b.py"}


def test_constraints_hold_the_same_versions() -> None:
    constraints = pins("constraints.txt")
    direct = {**pins("requirements.txt"), **pins("requirements-dev.txt")}
    assert {name: constraints.get(name) for name in direct} == direct


def test_the_environment_is_the_tested_set() -> None:
    constraints = pins("constraints.txt")
    installed = {
        normal(found.metadata["Name"]): found.version.split("+")[0] for found in importlib.metadata.distributions()
    }
    assert installed["torch"] == constraints["torch"]
    different = {name: version for name, version in installed.items() if constraints.get(name, version) != version}
    assert different == {}
