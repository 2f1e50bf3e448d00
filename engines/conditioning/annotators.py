"""The weight-free annotators of controlnet-aux: a frame becomes its edges, its line art or its shuffled colours.

Knows how to load one annotator by itself. Must not import `controlnet_aux` as a whole: its `__init__` imports
torchvision, which does not load beside a CPU or ROCm build of torch
(docs/decisions/002-controlnet-aux-without-torchvision.md).

Shape legend: T frames, H height, W width, 3 channels in RGB order.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
import types
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from engines.errors import InvalidRequest, NotAvailable

Frame = npt.NDArray[np.uint8]

# Our names → module and class inside controlnet_aux.
_ANNOTATORS = {
    "canny": ("canny", "CannyDetector"),
    "lineart": ("lineart_standard", "LineartStandardDetector"),
    "shuffle": ("shuffle", "ContentShuffleDetector"),
}
# The package's folder under a name of ours: an ordinary `import controlnet_aux` elsewhere still gets the real one.
_ALIAS = "engines_controlnet_aux"
# controlnet_aux works in steps of 64 pixels.
_STEP = 64
# controlnet_aux draws from numpy's global generator; only one thread at a time may seed it and put it back.
_GLOBAL_GENERATOR = threading.Lock()


def available() -> list[str]:
    """Names of the annotators that can run here; looks for files, imports nothing heavy."""
    folder = _package_folder()
    if folder is None:
        return []
    return [name for name, (module, _) in _ANNOTATORS.items() if (folder / module / "__init__.py").is_file()]


def canny(frame: Frame, low_threshold: int = 100, high_threshold: int = 200) -> Frame:
    """Edges after Canny (1986), white on black.

    Args:
        frame: uint8 [H, W, 3].
        low_threshold: 0 … high_threshold. An edge is followed down to this gradient.
        high_threshold: low_threshold … 1000. An edge starts at this gradient.

    Returns: uint8 [H, W, 3], 0 or 255, the three channels equal.
    Raises: InvalidRequest for another shape, type or thresholds; NotAvailable without controlnet-aux.
    """
    if not 0 <= low_threshold <= high_threshold <= 1000:
        raise InvalidRequest(
            f"Thresholds {low_threshold} and {high_threshold} are not allowed.",
            "Choose 0 ≤ low_threshold ≤ high_threshold ≤ 1000.",
            field="low_threshold",
        )
    return _annotate("canny", frame, low_threshold=low_threshold, high_threshold=high_threshold)


def lineart(frame: Frame, sigma: float = 6.0) -> Frame:
    """Line art: where a pixel is darker than its surroundings, white on black.

    Args:
        frame: uint8 [H, W, 3].
        sigma: Above 0, at most 100. Width in pixels of the Gaussian that says what the surroundings are.

    Returns: uint8 [H, W, 3], 0 … 255, the three channels equal.
    Raises: InvalidRequest for another shape, type or sigma; NotAvailable without controlnet-aux.
    """
    if not 0 < sigma <= 100:
        raise InvalidRequest(f"sigma = {sigma} is not allowed.", "Choose sigma above 0 and at most 100.", field="sigma")
    return _annotate("lineart", frame, guassian_sigma=sigma)  # spelled so in controlnet_aux


def shuffle(frame: Frame, seed: int) -> Frame:
    """The frame's colours at shuffled places, in smooth patches: a reference for style without content.

    Args:
        frame: uint8 [H, W, 3].
        seed: 0 … 2³² − 1. The same seed and frame give the same picture.

    Returns: uint8 [H, W, 3].
    Raises: InvalidRequest for another shape, type or seed; NotAvailable without controlnet-aux.
    """
    if not 0 <= seed < 2**32:
        raise InvalidRequest(f"seed = {seed} is not allowed.", "Choose seed between 0 and 4294967295.", field="seed")
    with _GLOBAL_GENERATOR:
        state = np.random.get_state()  # noqa: NPY002  the generator that controlnet_aux uses
        np.random.seed(seed)  # noqa: NPY002
        try:
            return _annotate("shuffle", frame)
        finally:
            np.random.set_state(state)  # noqa: NPY002


def _annotate(name: str, frame: Frame, **options: Any) -> Frame:
    """Runs an annotator at the frame's own resolution.

    controlnet_aux rounds a picture to multiples of 64 pixels by scaling, which blurs edges and moves them; a frame that
    is already a multiple, at that resolution, passes through unscaled. So the frame is padded, annotated and cropped.
    """
    _check_frame(frame)
    height, width = frame.shape[:2]
    bottom, right = -height % _STEP, -width % _STEP
    padded = cv2.copyMakeBorder(frame, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
    resolution = min(padded.shape[:2])
    if name != "lineart":  # returns its input's size anyway and has no such argument
        options["image_resolution"] = resolution
    detector = _load(name)
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        # lineart takes the median of no pixels when a frame is uniform, and handles the result.
        warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
        annotated = detector(padded, detect_resolution=resolution, output_type="np", **options)
    cropped: Frame = np.ascontiguousarray(annotated[:height, :width])
    return cropped


def _check_frame(frame: Frame) -> None:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
        raise InvalidRequest(
            f"A frame of type {frame.dtype} and shape {list(frame.shape)} is not allowed.",
            "Give a uint8 array of shape [height, width, 3] in RGB order.",
            field="frame",
        )


def _load(name: str) -> Any:
    """A new detector object. Raises NotAvailable if controlnet-aux or this annotator is not installed."""
    if name not in available():
        raise NotAvailable(
            f"The annotator “{name}” needs the package controlnet-aux, which is not installed.",
            "Run `make setup`, or `pip install -r requirements.txt`.",
        )
    module, detector = _ANNOTATORS[name]
    if _ALIAS not in sys.modules:
        alias = types.ModuleType(_ALIAS)
        alias.__path__ = [str(_package_folder())]
        sys.modules[_ALIAS] = alias
    return getattr(importlib.import_module(f"{_ALIAS}.{module}"), detector)()


def _package_folder() -> Path | None:
    spec = importlib.util.find_spec("controlnet_aux")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent
