"""Tries what the studio needs, inside the environment: `python -m scripts.check_installation`.

Prints the device first, then one line for each thing that works. Anything that fails ends it with its traceback.
"""

from __future__ import annotations

import os
import shutil


def device() -> str:
    """One line: which of CPU, CUDA, ROCm, MPS torch will use here."""
    import torch

    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        kind = "ROCm" if torch.version.hip else "CUDA"
        return f"Found {kind}: {properties.name}, {properties.total_memory / 2**30:.0f} GiB."
    if torch.backends.mps.is_available():
        return "Found MPS: the GPU of this Mac."
    line = f"Found CPU: {os.cpu_count()} cores, no usable GPU."
    for program, build in (("nvidia-smi", "CUDA"), ("rocminfo", "ROCm")):
        if shutil.which(program):
            line += f" {program} is here, but torch {torch.__version__} needs its {build} build to use the GPU."
    return line


def check_diffusers() -> str:
    import diffusers
    from diffusers import LTXPipeline

    return f"diffusers {diffusers.__version__} works ({LTXPipeline.__name__})."


def check_annotators() -> str:
    import numpy as np

    from engines.conditioning import annotators

    frame = np.zeros((64, 96, 3), dtype=np.uint8)
    frame[:, 48:] = 255
    for edges in (annotators.canny(frame), annotators.lineart(frame)):
        if not edges.any():
            raise RuntimeError("An annotator of controlnet-aux found no edge in a picture with one.")
    annotators.shuffle(frame, seed=0)
    return f"controlnet-aux works for {', '.join(annotators.available())}."


def main() -> None:
    for check in (device, check_diffusers, check_annotators):
        print(check(), flush=True)


if __name__ == "__main__":
    main()
