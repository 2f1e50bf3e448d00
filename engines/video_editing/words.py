"""A clip edited by words: encode, edit, decode, and say how faithfully it was inverted.

Shape legend: tokens float32 [1, N, D]; frames uint8 [T, H, W, 3].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from engines.backend.attention.feature_store import Spill
from engines.backend.families.base import Family, Frames
from engines.context import RunContext
from engines.inversion.invert import invert, noise_statistics
from engines.inversion.solvers import InversionSolver
from engines.sampling.loop import Step, sample
from engines.video_editing.fitting import Fit
from engines.video_editing.methods.clip_edit import ClipEdit, Edited, How, Words
from engines.video_editing.methods.controlled import draw_to_source
from engines.video_editing.methods.differences import move_by_difference, weigh_difference
from engines.video_editing.methods.noising import noise_and_sample
from engines.video_editing.methods.value_sharing import share_values
from engines.video_editing.request import VideoEditingRequest

METHODS: dict[str, Callable[[ClipEdit], Edited]] = {
    "difference": move_by_difference,
    "weighed difference": weigh_difference,
    "drawn to source": draw_to_source,
    "noising": noise_and_sample,
}
# Below so many model calls of one way FireFlow is the more exact, from there on RF-Solver (row 62b; docs/LOG.md).
FEW_EVALUATIONS = 24
DISK_BYTES = 20 * 2**30


@dataclass(frozen=True)
class EditedClip:
    """frames: As the model made them, filled-up ones included. measurements: see `edit_by_words`."""

    frames: Frames
    measurements: dict[str, float]


def solver_of(request: VideoEditingRequest) -> InversionSolver:
    """What “automatic” stands for."""
    if request.solver != "automatic":
        return request.solver
    return "fireflow" if request.steps < FEW_EVALUATIONS else "rf_solver"


def edit_by_words(
    family: Family, request: VideoEditingRequest, fit: Fit, frames: Frames, context: RunContext
) -> EditedClip:
    """Measurements: evaluations; of methods that invert noise_std, noise_kurtosis, noise_correlation (0, 1 and 0 for
    noise) and, if the request wants the report, roundtrip_psnr (dB, of latents).

    Raises: Cancelled; ResourceError if what value sharing keeps does not fit.
    """
    context.step("encoding", 0, 1)
    words = Words(*(family.encode_prompt([text]) for text in (request.source_prompt, request.prompt, "")))
    clean = family.pack(family.encode(frames), fit.geometry).values
    context.step("encoding", 1, 1)
    how = How(
        request.steps, request.strength, request.guidance_scale, solver_of(request),
        shared_steps=request.kept_steps, seed=request.seed,
    )  # fmt: skip
    edit = ClipEdit(
        family, fit.geometry, clean, words, how, _reporting(context, "inverting"), _reporting(context, "denoising")
    )
    made = _edited(edit, request.method, context.work_folder)
    measurements = {"evaluations": float(made.evaluations), **made.measurements}
    if made.top is not None:
        found = noise_statistics(made.top, fit.geometry.grid)
        measurements |= {
            "noise_std": found.std,
            "noise_kurtosis": found.excess_kurtosis,
            "noise_correlation": found.neighbour_correlation,
        }
    if made.top is not None and request.report:
        measurements |= _there_and_back(edit, context)
    context.step("decoding", 0, 1)
    decoded = np.concatenate(list(family.decode(family.unpack(made.tokens, fit.geometry))))
    context.step("decoding", 1, 1)
    return EditedClip(decoded, measurements)


def _edited(edit: ClipEdit, method: str, folder: Path) -> Edited:
    if method == "value sharing":
        return share_values(edit, Spill(folder / "kept", DISK_BYTES))
    return METHODS[method](edit)


def _there_and_back(edit: ClipEdit, context: RunContext) -> dict[str, float]:
    """How near the clip comes to itself when it is inverted and sampled with its own prompt."""
    velocity = edit.velocity(edit.words.source)
    up = invert(velocity, edit.clean, edit.inverted_sigmas, edit.how.solver, edit.first_noise)
    checking = _reporting(context, "checking")
    back = sample(velocity, up.top, up.sigmas, up.back, on_step=checking)
    return {"roundtrip_psnr": latent_decibels(back, edit.clean), "roundtrip_evaluations": float(velocity.evaluations)}


def latent_decibels(result: Tensor, reference: Tensor) -> float:
    """PSNR of latents, dB; the peak is the reference's range, as benchmarks measure it."""
    peak = float(reference.max() - reference.min())
    error = float((result.float() - reference.float()).square().mean())
    return float(20 * np.log10(peak) - 10 * np.log10(max(error, 1e-12)))


def _reporting(context: RunContext, phase: str) -> Callable[[Step], None]:
    return lambda step: context.step(phase, step.interval + 1, step.total)
