"""Sets Framewright up in .venv. `make setup` runs this; `python scripts/set_up.py` does the same without make.

Needs nothing but Python 3.11 with its venv module. Idempotent: .venv/framewright.json remembers what was installed, so
a second call ends at once; a set-up that was killed has left no such record and is done again.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORD = "framewright.json"


class SetUpError(Exception):
    """Something that the person can mend; the text says how."""


def say(text: str) -> None:
    print(f"[set-up] {text}", flush=True)


def environment_python(environment: Path) -> Path:
    """The interpreter inside a virtual environment."""
    return environment / "Scripts" / "python.exe" if os.name == "nt" else environment / "bin" / "python"


def requirement_files(root: Path, development: bool) -> list[Path]:
    names = ["requirements.txt", "requirements-dev.txt"] if development else ["requirements.txt"]
    return [root / name for name in names]


def fingerprint(root: Path, development: bool) -> str:
    """Hash of everything that decides what is installed: the lists, the pins and the Python version."""
    digest = hashlib.sha256(sys.version.encode())
    for path in [*requirement_files(root, development), root / "constraints.txt"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def read_record(environment: Path) -> dict[str, str]:
    """What an earlier set-up noted, or nothing if none was finished."""
    path = environment / RECORD
    if not path.is_file():
        return {}
    record: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return record


def write_record(environment: Path, record: dict[str, str]) -> None:
    path = environment / RECORD
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(record, indent=2), encoding="utf-8")
    temporary.replace(path)


def create_environment(environment: Path) -> None:
    """Makes the virtual environment if it is not there. Raises SetUpError if Python cannot make one."""
    python = environment_python(environment)
    if python.is_file():
        return
    if importlib.util.find_spec("ensurepip") is None:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        raise SetUpError(
            f"{sys.executable} cannot make virtual environments: its module ensurepip is missing.\n"
            f"On Debian and Ubuntu run: apt-get install {version}-venv"
        )
    say(f"making {environment} with Python {sys.version.split()[0]}")
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)


def pip(environment: Path, *arguments: str) -> None:
    """Runs pip inside the environment. Raises SetUpError if it fails."""
    command = [str(environment_python(environment)), "-m", "pip", "--disable-pip-version-check", *arguments]
    if subprocess.run(command, check=False).returncode != 0:
        raise SetUpError(f"This command failed, see above: {' '.join(command)}")


def install(root: Path, environment: Path, development: bool) -> None:
    arguments = ["-c", str(root / "constraints.txt")]
    for path in requirement_files(root, development):
        arguments += ["-r", str(path)]
    say("installing " + " and ".join(path.name for path in requirement_files(root, development)))
    pip(environment, "install", *arguments)


def remove_broken_torchvision(environment: Path) -> bool:
    """Takes torchvision out where it cannot be imported, and says whether it did.

    controlnet-aux asks for torchvision; the registry's Linux wheel is linked to CUDA and does not load beside a CPU or
    ROCm build of torch. Installed but broken, it breaks `from diffusers import LTXPipeline`; absent, nothing of ours
    misses it (docs/decisions/002-controlnet-aux-without-torchvision.md).
    """
    attempt = (
        "import importlib.util, sys\n"
        "if importlib.util.find_spec('torchvision') is None: sys.exit(0)\n"
        "import torchvision\n"
    )
    command = [str(environment_python(environment)), "-c", attempt]
    if subprocess.run(command, check=False, capture_output=True).returncode == 0:
        return False
    say("torchvision does not load beside this build of torch: removing it (nothing of ours needs it)")
    pip(environment, "uninstall", "--yes", "--quiet", "torchvision")
    return True


def verify(root: Path, environment: Path) -> str:
    """Tries what the studio needs, inside the environment.

    Returns: one line naming the device. Raises: SetUpError if something that must work does not.
    """
    command = [str(environment_python(environment)), "-m", "scripts.check_installation"]
    done = subprocess.run(command, check=False, cwd=root, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SetUpError(
            "The installation is not healthy, see above.\n"
            f"Delete the folder {environment} and run the set-up again; if that does not help, report the text above."
        )
    print(done.stdout, end="", flush=True)
    return done.stdout.splitlines()[0]


def set_up(root: Path, development: bool) -> None:
    environment = root / ".venv"
    kind = "development" if development else "user"
    wanted = fingerprint(root, development)
    record = read_record(environment)
    if record.get(kind) == wanted:
        say(f"nothing to install, {environment} is up to date. {record['device']}")
        return
    create_environment(environment)
    (environment / RECORD).unlink(missing_ok=True)
    install(root, environment, development)
    remove_broken_torchvision(environment)
    say("trying what was installed")
    record = {kind: wanted, "device": verify(root, environment)}
    record["user"] = fingerprint(root, development=False)  # the development set contains the user's
    write_record(environment, record)
    say("done")


def main() -> int:
    parser = argparse.ArgumentParser(description="Installs Framewright into .venv and checks that it works.")
    parser.add_argument("--development", action="store_true", help="also install what the tests need")
    arguments = parser.parse_args()
    version = sys.version.split()[0]
    if sys.version_info < (3, 11):  # noqa: UP036  the message is for those who have an older one
        print(f"Framewright needs Python 3.11; this is {version}. Call it with python3.11.", file=sys.stderr)
        return 1
    if sys.version_info[:2] != (3, 11):
        say(f"tested with Python 3.11; for Python {version} some of the pinned packages may be missing")
    try:
        set_up(ROOT, arguments.development)
    except SetUpError as error:
        print(f"\nThe set-up stopped.\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
