"""Golden files: tensors of a known good run beside the fingerprint of the machine that made them.

Under an equal fingerprint the bits must be equal; on another machine or version 1e-4 is allowed, of large values a
little more. `make golden` renews the files on purpose (it sets FRAMEWRIGHT_RENEW_GOLDEN=1).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from engines.backend.fingerprint import differences, fingerprint

FOLDER = Path(__file__).parent / "files"
TOLERANCE = 1e-4
RELATIVE = 1e-4  # of the largest value: another CPU sums in another order, and a render does so at every step


def compare_with_golden(name: str, tensors: dict[str, Tensor], revision: str = "", folder: Path = FOLDER) -> None:
    """Fails if the tensors are not those of the golden file; renews the file instead if that was asked for.

    Args:
        name: Of the file.
        tensors: float32, on the CPU.
        revision: Of the weights; other weights than the golden file's are a failure of their own.
        folder: Where the file lies.
    """
    here = fingerprint(torch.float32, torch.device("cpu"))
    path = folder / f"{name}.safetensors"
    if os.environ.get("FRAMEWRIGHT_RENEW_GOLDEN") == "1":
        folder.mkdir(parents=True, exist_ok=True)
        contiguous = {key: tensor.contiguous() for key, tensor in tensors.items()}
        save_file(contiguous, path, metadata={"fingerprint": json.dumps(here), "revision": revision})
        return
    assert path.is_file(), f"{path} is missing: look at the result, then run `make golden`"
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        golden = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a mapping)
    assert metadata["revision"] == revision, "the weights are not the golden file's: run `make golden` on purpose"
    assert tensors.keys() == golden.keys()
    unlike = differences(here, json.loads(metadata["fingerprint"]))
    for key, tensor in tensors.items():
        assert tensor.shape == golden[key].shape, key
        difference = float((tensor - golden[key]).abs().max())
        if unlike:
            allowed = max(TOLERANCE, RELATIVE * float(golden[key].abs().max()))
            assert difference <= allowed, f"{key} is {difference:.1e} off; environments differ: {'; '.join(unlike)}"
        else:
            assert torch.equal(tensor, golden[key]), f"{key} is {difference:.1e} off in an equal environment"
