"""A clip edited by words, chunk by chunk where it is longer than the model's window.

Each chunk is inverted by itself and sampled under the new prompt with the end of the edited chunk before it held,
latents handed over as they are (engines.long_video). Finished chunks are kept: a killed job goes on with the next.
Shape legend: latents float32 [1, C, S, h, w]; tokens float32 [1, N, D]; frames uint8 [T, H, W, 3].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engines.backend.attention.feature_store import Spill
from engines.backend.families.base import Family, Frames
from engines.backend.fingerprint import fingerprint
from engines.context import RunContext
from engines.inversion.invert import invert, noise_statistics
from engines.inversion.solvers import InversionSolver
from engines.long_video.chunk_plan import ChunkPlan
from engines.long_video.drift import DriftMeter
from engines.long_video.finished import FinishedChunks
from engines.long_video.handover import chunk_condition, chunk_coordinates, chunk_geometry, contributed
from engines.sampling.loop import sample
from engines.video_editing.fitting import Fit, plan_chunks
from engines.video_editing.methods.clip_edit import ClipEdit, Edited, Held, How, Words
from engines.video_editing.methods.controlled import draw_to_source
from engines.video_editing.methods.differences import move_by_difference, weigh_difference
from engines.video_editing.methods.noising import noise_and_sample
from engines.video_editing.methods.value_sharing import share_values
from engines.video_editing.progress import reporting
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
    """frames: As the model made them, filled-up ones included. measurements, warnings: see `edit_by_words`."""

    frames: Frames
    measurements: dict[str, float]
    warnings: list[str]


def solver_of(request: VideoEditingRequest) -> InversionSolver:
    """What “automatic” stands for."""
    if request.solver != "automatic":
        return request.solver
    return "fireflow" if request.steps < FEW_EVALUATIONS else "rf_solver"


def edit_by_words(
    family: Family, request: VideoEditingRequest, fit: Fit, frames: Frames, context: RunContext
) -> EditedClip:
    """Measurements: evaluations, chunks, chunks_kept; of methods that invert noise_std, noise_kurtosis and
    noise_correlation of the first chunk (1, 0 and 0 for noise) and, if the request wants the report, roundtrip_psnr
    (dB, of latents); of several chunks seam_jump and drift, the largest change of a channel's mean that the source did
    not have. Warnings: what drifts.

    Raises: Cancelled or Paused; ResourceError if what is kept does not fit.
    """
    context.step("encoding", 0, 1)
    words = Words(*(family.encode_prompt([text]) for text in (request.source_prompt, request.prompt, "")))
    source = family.encode(frames)
    context.step("encoding", 1, 1)
    film = _Film(family, request, fit, words, source, context)
    latents, measurements = film.edit()
    context.step("decoding", 0, 1)
    decoded = np.concatenate(list(family.decode(latents)))
    context.step("decoding", 1, 1)
    drifted, said = drift_of(decoded, frames, film.plan)
    return EditedClip(decoded, {**measurements, **drifted}, said)


class _Film:
    """One run over all chunks."""

    def __init__(
        self, family: Family, request: VideoEditingRequest, fit: Fit, words: Words, source: Tensor, context: RunContext
    ) -> None:
        self._family, self._request, self._fit, self._words = family, request, fit, words
        self._source, self._context = source, context
        self.plan = plan_chunks(fit, family.card.facts.temporal_compression)
        decisive = {**request.model_dump(mode="json"), "fingerprint": fingerprint(family.dtype, family.device)}
        self._finished = FinishedChunks(context.work_folder, self.plan, decisive, family.revision)

    def edit(self) -> tuple[Tensor, dict[str, float]]:
        """The film's latents and what was measured."""
        before, parts, measurements = None, [], dict[str, float]()
        evaluations, kept = 0, 0
        for chunk in self.plan.chunks:
            latents = self._finished.read(chunk.index)
            if latents is None:
                edit = self._edit_of(chunk.index, before)
                made = self._made(edit)
                evaluations += made.evaluations
                latents = self._family.unpack(made.tokens, edit.geometry).cpu()
                if chunk.index == 0:
                    measurements |= {**made.measurements, **self._report(edit, made)}
                self._finished.write(chunk.index, latents)
                self._context.at_chunk_border()
            else:
                kept += 1
            parts.append(contributed(self.plan, chunk.index, latents))
            before = latents
        counted = {"evaluations": float(evaluations), "chunks": float(len(parts)), "chunks_kept": float(kept)}
        return torch.cat(parts, dim=2), {**counted, **measurements}

    def _edit_of(self, index: int, before: Tensor | None) -> ClipEdit:
        family, chunk, request = self._family, self.plan.chunks[index], self._request
        own = chunk_geometry(self._fit.geometry, chunk)
        part = self._source[:, :, chunk.first_slot : chunk.first_slot + chunk.slots]
        condition = chunk_condition(family, own, self.plan, index, before)
        how = How(
            request.steps, request.strength, request.guidance_scale, solver_of(request),
            shared_steps=request.kept_steps, hold=request.hold, seed=(request.seed + index) % 2**32,
        )  # fmt: skip
        held = Held(condition.is_given, condition.values.to(family.device)) if before is not None else None
        count = len(self.plan.chunks)
        message = f"Chunk {index + 1} of {count}." if count > 1 else ""
        return ClipEdit(
            family, own, family.pack(part, own).values, self._words, how,
            chunk_coordinates(family, own, chunk, condition.given), held,
            reporting(self._context, "inverting", message), reporting(self._context, "denoising", message),
        )  # fmt: skip

    def _made(self, edit: ClipEdit) -> Edited:
        if self._request.method == "value sharing":
            return share_values(edit, Spill(self._context.work_folder / "kept", DISK_BYTES))
        return METHODS[self._request.method](edit)

    def _report(self, edit: ClipEdit, made: Edited) -> dict[str, float]:
        if made.top is None:
            return {}
        found = noise_statistics(_noise_in(edit, made.top), edit.geometry.grid)
        said = {
            "noise_std": found.std,
            "noise_kurtosis": found.excess_kurtosis,
            "noise_correlation": found.neighbour_correlation,
        }
        return {**said, **(_there_and_back(edit, self._context) if self._request.report else {})}


def _noise_in(edit: ClipEdit, top: Tensor) -> Tensor:
    """What the top holds beside its share of the clip: ε of x_σ = (1 − σ)·x₀ + σ·ε. All of it where σ is 1."""
    level = edit.sigmas[0].to(top)[:, None]
    return (top - (1 - level) * edit.clean.to(top)) / level


def _there_and_back(edit: ClipEdit, context: RunContext) -> dict[str, float]:
    """How near the clip comes to itself when it is inverted and sampled with its own prompt."""
    velocity = edit.velocity(edit.words.source)
    up = invert(velocity, edit.clean, edit.inverted_sigmas, edit.how.solver, edit.first_noise)
    back = sample(velocity, up.top, up.sigmas, up.back, on_step=reporting(context, "checking"))
    return {"roundtrip_psnr": latent_decibels(back, edit.clean), "roundtrip_evaluations": float(velocity.evaluations)}


def drift_of(edited: Frames, source: Frames, plan: ChunkPlan) -> tuple[dict[str, float], list[str]]:
    """Of several chunks: how far colours go that did not go in the source, the worst seam, and both in words."""
    if len(plan.chunks) < 2:
        return {}, []
    meters = DriftMeter(), DriftMeter()
    for chunk in plan.chunks:
        for meter, frames in zip(meters, (edited, source), strict=True):
            meter.add(frames[chunk.made.start : chunk.made.stop])
    pairs = zip(*(meter.measured() for meter in meters), strict=True)
    further = max(
        abs(own - other)
        for after, before in pairs
        for own, other in zip(after.channel_means, before.channel_means, strict=True)
    )
    seam, had = meters[0].seam_jump or 0.0, meters[1].seam_jump or 0.0
    told = set(meters[1].words())
    return {"drift": further, "seam_jump": seam, "source_seam_jump": had}, [
        said for said in meters[0].words() if said not in told
    ]


def latent_decibels(result: Tensor, reference: Tensor) -> float:
    """PSNR of latents, dB; the peak is the reference's range, as benchmarks measure it."""
    peak = float(reference.max() - reference.min())
    error = float((result.float() - reference.float()).square().mean())
    return float(20 * np.log10(peak) - 10 * np.log10(max(error, 1e-12)))
