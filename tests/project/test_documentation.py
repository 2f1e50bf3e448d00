"""What the documentation says exists: commands, files, endpoints, settings, versions."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from engines.task import TASKS, request_class
from studio.task_endpoints import ENDPOINTS
from tests.readme import README, client_example, code_blocks

ROOT = README.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TEXT = README.read_text(encoding="utf-8")
DOCUMENTS = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def targets() -> set[str]:
    """The documented targets of the Makefile."""
    return set(re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE))


def broken(line: str) -> str | None:
    """Why a shell line of the README cannot work, or None. Knows the kinds of command that the README uses."""
    words = line.replace("\\", "/").split()
    program = re.sub(r"^\.venv/(bin|Scripts)/", "", words[0])
    if program == "make":
        return None if words[1] in targets() else f"no target {words[1]}"
    if program == "pip":
        return None if (ROOT / words[-1]).is_file() else f"no file {words[-1]}"
    if program in ("python", "python3.11", "py"):
        rest = [word for word in words[1:] if word != "-3.11"]
        if rest[0] == "-m":
            return None if importlib.util.find_spec(rest[1]) else f"no module {rest[1]}"
        return None if (ROOT / rest[0]).is_file() else f"no file {rest[0]}"
    return f"unknown command {program}"


def test_every_shell_line_of_the_readme_exists() -> None:
    lines = [
        line for kind in ("sh", "powershell") for block in code_blocks(kind) for line in block.splitlines() if line
    ]
    assert len(lines) > 10
    assert {line: broken(line) for line in lines if broken(line)} == {}


@pytest.mark.parametrize("line", ["make nothing", "python nowhere.py", "pip install -r nothing.txt", "curl x"])
def test_a_shell_line_that_cannot_work_is_found(line: str) -> None:
    assert broken(line)


def test_the_two_commands_come_first() -> None:
    assert code_blocks("sh")[0].splitlines() == ["make setup", "make studio"]


def test_spaces_front_matter_agrees_with_the_project() -> None:
    front_matter = yaml.safe_load(TEXT.split("---")[1])
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert front_matter["sdk"] == "gradio"
    assert f"\ngradio=={front_matter['sdk_version']}\n" in requirements
    assert front_matter["python_version"] == "3.11"
    assert (ROOT / front_matter["app_file"]).is_file()
    assert front_matter["license"] == "apache-2.0"
    assert len(front_matter["short_description"]) <= 60
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_client_example_calls_documented_endpoints() -> None:
    called = {
        keyword.value.value
        for node in ast.walk(ast.parse(client_example()))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "api_name" and isinstance(keyword.value, ast.Constant)
    }
    documented = set(re.findall(r"^\| `(/[a-z_]+)` \|", TEXT, re.MULTILINE))
    assert {"/text_to_video_submit", "/job_status", "/job_result"} <= called <= documented
    assert set(ENDPOINTS) == set(TASKS)
    assert documented == {
        *(f"/{name}{ending}" for name in ENDPOINTS.values() for ending in ("", "_submit")),
        "/import_file",
        "/job_status",
        "/job_result",
        *(f"/job_{what}" for what in ("cancel", "pause", "resume", "retry", "move", "priority", "events")),
        "/jobs",
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_setting_is_in_the_readme() -> None:
    used = set()
    for folder in ("engines", "studio"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            used |= set(re.findall(r"\bFRAMEWRIGHT_[A-Z_]+\b", path.read_text(encoding="utf-8")))
    documented = set(re.findall(r"^\| `(FRAMEWRIGHT_[A-Z_]+)` \|", TEXT, re.MULTILINE))
    assert used
    assert documented == used


@pytest.mark.parametrize("task", sorted(TASKS))
def test_every_request_field_is_described(task: str) -> None:
    fields = request_class(task).model_fields
    assert [name for name, field in fields.items() if not (field.description or "").endswith(".")] == []


def test_every_package_says_what_it_knows() -> None:
    packages = [path for folder in ("engines", "studio") for path in (ROOT / folder).rglob("__init__.py")]
    silent = [
        str(path.relative_to(ROOT))
        for path in packages
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_make_alone_explains_every_target() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert targets() >= {"setup", "studio", "test", "fix", "golden", "bench", "update"}
    assert [target for target in targets() if f"make {target} " not in shown] == []
