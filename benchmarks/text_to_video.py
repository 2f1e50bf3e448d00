"""What the bundled model renders from held-out prompts, and how fast.

Judge B reads noun, motion and scene off clips sampled from combinations that no training saw, with the request's
defaults. Controls: the same clips against shuffled prompts, chance, and the tokenizer's reconstructions of true
renders. Time stands beside diffusers' own LTXPipeline, interleaved: same weights, rotary base, coordinates and steps.

Summary: noun, motion, scene, all_three (each also _shuffled and _chance), vae_noun, vae_motion, vae_scene (Judge B on
reconstructions / on the originals), vae_psnr, vae_object_psnr, diorama_fd with diorama_fd_floor (between two sets of
true renders of that many clips), denoising_seconds, ratio_vs_diffusers.
A full run also writes assets/screenshots/held_out.png: 12 of its prompts, chosen by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.shared.report import Report, parse_options
from benchmarks.shared.timing import interleaved
from benchmarks.shared.versions import PROJECT_ROOT, code_revision, weights_hash
from engines.backend.families.guided import guided_velocity
from engines.backend.families.ltx import LTXFamily
from engines.backend.registry import ModelRegistry
from engines.context import RunContext
from engines.diorama.captions import plain_caption
from engines.diorama.clip_spec import ClipSpec, held_out_specs
from engines.diorama.judge import JUDGES_FOLDER
from engines.diorama.judge.model import ClipJudge
from engines.diorama.render import render
from engines.media.contact_sheet import contact_sheet, save_picture
from engines.metrics.adherence import Labels, adherence, chance, load_judge, read_clip, shuffled
from engines.metrics.frechet import diorama_fd
from engines.metrics.psnr import object_psnr, pixel_psnr
from engines.sampling.guidance import ClassifierFree
from engines.sampling.loop import sample
from engines.sampling.noise import gaussian_noise
from engines.sampling.schedules import make_schedule, uniform
from engines.sampling.solvers import make_solver
from engines.text_to_video.render import encode_prompts, sample_take
from engines.text_to_video.request import TextToVideoRequest

Frames = npt.NDArray[np.uint8]
NAME = "text_to_video"
WEIGHTS = ("assets/models/diorama", "assets/models/judges/b")
CODE = (
    "engines/sampling",
    "engines/backend",
    "engines/text_to_video",
    "engines/diorama",
    "benchmarks/text_to_video.py",
)
PROMPTS, QUICK_PROMPTS, SHEET_PROMPTS = 160, 16, 12
FIRST_SEED = 900_000
WORK = PROJECT_ROOT / "benchmarks" / "work" / NAME  # ignored: rendered clips, so that a killed run keeps them


def clip_name(spec: ClipSpec) -> str:
    return f"{spec.noun}, {spec.motion}, {spec.scene}, seed {spec.seed}"


@cache
def bundled() -> LTXFamily:
    family = ModelRegistry().load("diorama")
    assert isinstance(family, LTXFamily)
    return family


def request_for(spec: ClipSpec) -> TextToVideoRequest:
    return TextToVideoRequest(prompt=plain_caption(spec), seed=spec.seed, preview_every=0)


def rendered(spec: ClipSpec) -> Frames:
    """The clip that a person gets for this prompt, kept on disk between runs of the same weights and code."""
    path = WORK / versions() / f"{clip_name(spec)}.npy"
    if path.exists():
        return np.asarray(np.load(path))
    family, request = bundled(), request_for(spec)
    geometry = family.geometry(request.height, request.width, request.frames, request.fps)
    take = sample_take(
        family, request, geometry, encode_prompts(family, request), request.seed, RunContext(work_folder=WORK)
    )
    frames = np.concatenate(list(family.decode(take.latents)))
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, frames)
    return frames


@cache
def versions() -> str:
    """What the rendered clips depend on."""
    return f"{weights_hash(WEIGHTS[:1])}-{code_revision(CODE)}"


def reading(judge: ClipJudge, frames: Frames) -> dict[str, Any]:
    """What the judge sees, as a row's values."""
    seen = read_clip(judge, frames)
    return {"noun": seen.noun, "motion": seen.motion, "scene": seen.scene}


def measure_reconstruction(judge: ClipJudge, spec: ClipSpec) -> dict[str, Any]:
    """A true render through the tokenizer and back: what Judge B reads before and after, and how close it is."""
    truth = render(spec, with_flow=False)
    family = bundled()
    decoded = np.concatenate(list(family.decode(family.encode(truth.frames))))
    original = {f"original_{name}": value for name, value in reading(judge, truth.frames).items()}
    return {
        **reading(judge, decoded),
        **original,
        "psnr": pixel_psnr(decoded, truth.frames),
        "object_psnr": object_psnr(decoded, truth.frames, truth.truth.mask),
    }


def as_labels(row: dict[str, Any], prefix: str = "") -> Labels:
    return Labels(row[f"{prefix}noun"], row[f"{prefix}motion"], row[f"{prefix}scene"], 1.0, 1.0, 1.0)


def add_adherence(report: Report, rows: Sequence[dict[str, Any]], specs: Sequence[ClipSpec], judge: ClipJudge) -> None:
    wanted = [(spec.noun, spec.motion, spec.scene) for spec in specs]
    seen = [as_labels(row) for row in rows]
    for key, values in adherence(seen, wanted).items():
        report.mean(key, values.tolist())
    for key, values in adherence(seen, shuffled(wanted)).items():
        report.mean(f"{key}_shuffled", values.tolist())
    for key, value in chance(judge).items():
        report.number(f"{key}_chance", value)


def add_tokenizer(report: Report, rows: Sequence[dict[str, Any]], specs: Sequence[ClipSpec]) -> None:
    """vae_X: accuracy on reconstructions relative to accuracy on the originals."""
    wanted = [(spec.noun, spec.motion, spec.scene) for spec in specs]
    after = adherence([as_labels(row) for row in rows], wanted)
    before = adherence([as_labels(row, "original_") for row in rows], wanted)
    for name in ("noun", "motion", "scene"):
        report.number(f"original_{name}", float(before[name].mean()))
        report.mean(f"vae_{name}", (after[name] / before[name].mean()).tolist())
    report.mean("vae_psnr", [row["psnr"] for row in rows])
    report.mean("vae_object_psnr", [row["object_psnr"] for row in rows])


def add_distance(report: Report, judge: ClipJudge, specs: Sequence[ClipSpec]) -> None:
    def truths(offset: int) -> list[Frames]:
        return [render(replace(spec, seed=spec.seed + offset), with_flow=False).frames for spec in specs]

    report.number("diorama_fd", diorama_fd(judge, [rendered(spec) for spec in specs], truths(10_000)))
    report.number("diorama_fd_floor", diorama_fd(judge, truths(20_000), truths(10_000)))


def add_time(report: Report, steps: int, pairs: int) -> None:
    """Our denoising against LTXPipeline's, from the same embeddings and noise to latents."""
    family, request = bundled(), request_for(held_out_specs(2, FIRST_SEED)[0])
    geometry = family.geometry(96, 96, 17, 24)
    prompts, coordinates = encode_prompts(family, request), family.coordinates(geometry)
    start = gaussian_noise((1, geometry.tokens, family.channels), seed=1)
    schedule = uniform(make_schedule("model", steps, geometry.tokens, family.scheduler_config), geometry.tokens)
    assert prompts.uncond is not None
    guidance = ClassifierFree(prompts.cond, prompts.uncond, request.guidance_scale)

    def ours() -> torch.Tensor:
        return sample(guided_velocity(family, geometry, guidance), start, schedule, make_solver("euler"))

    pipeline = ltx_pipeline(family, coordinates)

    def theirs() -> torch.Tensor:
        latents: torch.Tensor = pipeline(
            prompt_embeds=guidance.cond.values.to(family.dtype), prompt_attention_mask=guidance.cond.mask,
            negative_prompt_embeds=guidance.uncond.values.to(family.dtype),
            negative_prompt_attention_mask=guidance.uncond.mask,
            height=96, width=96, num_frames=17, frame_rate=24, num_inference_steps=steps,
            guidance_scale=request.guidance_scale, latents=start, output_type="latent",
        ).frames  # fmt: skip
        return latents

    report.number("latents_max_difference", float((ours() - theirs()).abs().max()))
    times = interleaved(ours, theirs, pairs)
    report.number("ratio_vs_diffusers", times.ratio)
    report.number("denoising_seconds", times.seconds)


def ltx_pipeline(family: LTXFamily, coordinates: torch.Tensor) -> Any:
    """diffusers' pipeline around the family's own modules; a hook gives its transformer our coordinates."""
    from diffusers import FlowMatchEulerDiscreteScheduler, LTXPipeline

    def with_coordinates(module: Any, arguments: Any, keywords: dict[str, Any]) -> Any:
        batch = keywords["hidden_states"].shape[0]
        return arguments, {**keywords, "video_coords": coordinates.expand(batch, -1, -1)}

    family.transformer.register_forward_pre_hook(_only_for_pipeline(with_coordinates), with_kwargs=True)
    scheduler = FlowMatchEulerDiscreteScheduler.from_config(dict(family.scheduler_config))
    pipeline = LTXPipeline(scheduler, family.autoencoder, None, None, family.transformer)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _only_for_pipeline(hook: Any) -> Any:
    """Our own calls bring coordinates already."""
    return lambda module, arguments, keywords: (
        None if keywords.get("video_coords") is not None else hook(module, arguments, keywords)
    )


def main() -> None:
    options = parse_options(NAME, __doc__)
    report = Report(NAME, options, CODE, WEIGHTS)
    judge = load_judge(JUDGES_FOLDER / "b")
    specs = held_out_specs(QUICK_PROMPTS if report.quick else PROMPTS, FIRST_SEED)
    ours = [report.row("sampled", clip_name(spec), lambda s=spec: reading(judge, rendered(s))) for spec in specs]  # type: ignore[misc]
    again = [
        report.row("reconstructed", clip_name(spec), lambda s=spec: measure_reconstruction(judge, s))  # type: ignore[misc]
        for spec in specs
    ]
    add_adherence(report, ours, specs, judge)
    add_tokenizer(report, again, specs)
    add_distance(report, judge, specs)
    add_time(report, steps=20, pairs=15)
    if not report.quick:
        shown = [specs[int(index)] for index in np.linspace(0, len(specs) - 1, SHEET_PROMPTS)]
        sheet = contact_sheet(
            [rendered(spec) for spec in shown], 2, [plain_caption(spec) for spec in shown], frames_per_clip=6
        )
        save_picture(Path("assets/screenshots/held_out.png"), sheet)
    report.finish()


if __name__ == "__main__":
    main()
