"""The set-up is idempotent and leaves no broken torchvision behind. Real environments, no network."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import set_up

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        (tmp_path / name).write_text(f"# {name}\n")
    return tmp_path


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("set_up") / ".venv"
    set_up.create_environment(folder)
    return folder


def site_packages(environment: Path) -> Path:
    command = [set_up.environment_python(environment), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def install_torchvision(environment: Path, source: str) -> Path:
    """Puts a package named torchvision in place, as pip would leave it."""
    folder = site_packages(environment)
    files = {
        "torchvision/__init__.py": source,
        "torchvision-0.28.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: torchvision\nVersion: 0.28.0\n",
        "torchvision-0.28.0.dist-info/INSTALLER": "pip\n",
    }
    record = "torchvision-0.28.0.dist-info/RECORD"
    files[record] = "".join(f"{name},,\n" for name in [*files, record])
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder / "torchvision"


def test_a_torchvision_that_fails_to_import_is_removed(environment: Path) -> None:
    package = install_torchvision(environment, "raise RuntimeError('operator torchvision::nms does not exist')\n")
    assert set_up.remove_broken_torchvision(environment)
    assert not package.exists()
    assert not set_up.remove_broken_torchvision(environment)


def test_a_torchvision_that_imports_stays(environment: Path) -> None:
    package = install_torchvision(environment, "")
    assert not set_up.remove_broken_torchvision(environment)
    assert package.is_dir()


def test_the_environment_is_made_once(environment: Path) -> None:
    configuration = environment / "pyvenv.cfg"
    before = configuration.stat().st_mtime_ns
    set_up.create_environment(environment)
    assert configuration.stat().st_mtime_ns == before


def test_a_second_set_up_installs_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / ".venv").mkdir()
    wanted = set_up.fingerprint(project, development=False)
    set_up.write_record(project / ".venv", {"user": wanted, "device": "Found CPU."})
    set_up.set_up(project, development=False)
    assert "nothing to install" in capsys.readouterr().out
    assert not set_up.environment_python(project / ".venv").exists()


@pytest.mark.parametrize("changed", ["requirements.txt", "constraints.txt"])
def test_another_list_or_pin_asks_for_a_new_set_up(project: Path, changed: str) -> None:
    before = set_up.fingerprint(project, development=False)
    (project / changed).write_text("numpy==2.4.6\n")
    assert set_up.fingerprint(project, development=False) != before


def test_a_failed_installation_says_so_and_leaves_no_record(project: Path) -> None:
    (project / "requirements.txt").write_text("./no-such-folder\n")
    with pytest.raises(set_up.SetUpError, match="failed, see above"):
        set_up.set_up(project, development=False)
    assert set_up.read_record(project / ".venv") == {}


def test_without_ensurepip_the_debian_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_up.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(set_up.SetUpError, match=r"apt-get install python3\.\d+-venv"):
        set_up.create_environment(tmp_path / ".venv")


def test_the_installation_of_these_tests_is_healthy() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.check_installation"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    device, diffusers, annotators = done.stdout.splitlines()
    assert re.match(r"Found (CPU|CUDA|ROCm|MPS): ", device)
    assert diffusers.endswith("works (LTXPipeline).")
    assert annotators == "controlnet-aux works for canny, lineart, shuffle."
