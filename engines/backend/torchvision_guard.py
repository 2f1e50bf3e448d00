"""Hides a torchvision that cannot load, for this process only. Knows two version files; imports neither package.

`pip install -r requirements.txt` brings torchvision along (controlnet-aux asks for it), and the registry's Linux wheel
is linked to CUDA. Beside a CPU or ROCm build of torch its import fails, and as long as it can be found,
`from diffusers import LTXPipeline` fails with it. `make setup` removes it; who installs without make gets this
instead, because a running program must not change what is installed
(docs/decisions/002-controlnet-aux-without-torchvision.md).
"""

from __future__ import annotations

import importlib.util
import logging
import re
import sys
from pathlib import Path


def hide_broken_torchvision() -> bool:
    """Makes `find_spec("torchvision")` answer None where torchvision was built for CUDA and torch was not.

    Costs about a millisecond. Returns: whether torchvision is hidden now.
    """
    if "torchvision" in sys.modules:
        return sys.modules["torchvision"] is None
    vision, torch = _version_file("torchvision"), _version_file("torch")
    if vision is None or torch is None:
        return False
    built_for_cuda = re.search(r"^__version__ = '[^']*\+cu\d+'", vision, re.MULTILINE) is not None
    torch_has_cuda = re.search(r"^cuda\b[^=\n]*= '", torch, re.MULTILINE) is not None
    if not built_for_cuda or torch_has_cuda:
        return False
    # None in sys.modules is Python's own way to say "this import fails" (language reference, section 5.3.1).
    sys.modules["torchvision"] = None  # type: ignore[assignment]
    logging.getLogger(__name__).warning(
        "torchvision is built for CUDA and this torch is not: going on without torchvision. "
        "`pip uninstall torchvision` ends this message; nothing here needs it."
    )
    return True


def _version_file(package: str) -> str | None:
    """The text of PACKAGE/version.py, or None where the package is not installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).with_name("version.py")
    return path.read_text(encoding="utf-8") if path.is_file() else None
