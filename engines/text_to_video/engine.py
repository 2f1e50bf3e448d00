"""The text-to-video engine: load, encode the prompt, sample, decode, write.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from engines.context import RunContext
from engines.media.target import check_target
from engines.model_engine import ModelEngine
from engines.task import Result
from engines.text_to_video.check import check_request
from engines.text_to_video.film import plan_long
from engines.text_to_video.request import TextToVideoRequest

if TYPE_CHECKING:
    from engines.backend.families.base import Family, PromptEmbedding


class TextToVideoEngine(ModelEngine):
    """A prompt becomes one video per seed.

    Every take is sampled alone, so that a file's own request (takes = 1, its seed) gives the same frames again.
    """

    def check(self, request: TextToVideoRequest) -> list[str]:
        """Warnings. Raises InvalidRequest, LimitExceeded or NotAvailable if the request cannot be rendered."""
        return check_request(request, self._catalogue())

    def run(self, request: TextToVideoRequest, context: RunContext, keep_frames: bool = False) -> Result:
        """Renders into context.work_folder.

        Takes that an earlier run of the same request finished there are kept.

        Args:
            keep_frames: Whether each take's frames are also written without loss, for whoever works on with them.

        Returns: the videos in the order of their seeds, each with its still, with takes > 1 a contact sheet;
            measurements seconds, seconds_per_step, evaluations, frames, takes_kept, peak_memory_bytes,
            planned_memory_bytes; of a film made in parts seam_jump and drift (see drift_measured) of its last take.
        Raises: UserError or Cancelled.
        """
        from engines.backend.families.guided import rows_at_once
        from engines.backend.process_memory import peak_memory_bytes
        from engines.long_video.finished import forget_chunks
        from engines.text_to_video import render, takes
        from engines.text_to_video.making import drift_measured, make_take, reported

        started = time.perf_counter()
        models = self._registry(context)
        warnings = check_request(request, models.catalogue)
        seeds = [request.seed + index for index in range(request.takes)]
        paths = [takes.take_path(context.work_folder, request, seed) for seed in seeds]
        check_target(paths[0], request.fps, field="output_format")

        context.step("loading", 0, 1)
        family: Family = models.load(request.model)
        context.step("loading", 1, 1)
        film = plan_long(request, family.card)
        geometry = film.window if film else family.geometry(request.height, request.width, request.frames, request.fps)
        rows = rows_at_once(geometry.tokens, 1 if request.guidance_scale == 1 else 2)
        plan = family.prepare(geometry, rows, models.budget, request.step_cache)
        given_up = len(family.residence.changes)
        warnings += plan.warnings()
        context.step("encoding", 0, 1)
        prompts = render.encode_prompts(family, request)
        warnings += _unread(prompts.cond, "prompt")
        context.step("encoding", 1, 1)

        evaluations, kept, sampling_seconds, measured = 0, 0, 0.0, dict[str, float]()
        length = request.frames if film else geometry.frames
        for index, (seed, path) in enumerate(zip(seeds, paths, strict=True)):
            record = takes.take_record(request, seed, family)
            if takes.is_finished(path, record, keep_frames):
                kept += 1
                continue
            message = f"Version {index + 1} of {request.takes}." if request.takes > 1 else ""
            made = make_take(family, request, geometry, film, prompts, seed, context, message)
            evaluations += made.evaluations
            sampling_seconds += made.seconds
            frames = reported(made, context, message)
            said = takes.write_take(path, frames, made.length, request.fps, record, keep_frames)
            if made.drift is not None:
                said += made.drift.words()
                measured |= drift_measured(made.drift)
            warnings += [text for text in said if text not in warnings]
            context.step("writing", 1, 1, message=message)

        warnings += family.residence.changes[given_up:]
        files = [
            file for seed, path in zip(seeds, paths, strict=True) for file in takes.take_files(path, seed, keep_frames)
        ]
        if request.takes > 1:
            files.append(takes.write_sheet(context.work_folder, paths, seeds, length))
        rendered_steps = request.steps * len(film.chunks.chunks if film else [0]) * (request.takes - kept)
        measurements = {
            "seconds": time.perf_counter() - started,
            "seconds_per_step": sampling_seconds / rendered_steps if rendered_steps else 0.0,
            "evaluations": float(evaluations),
            "frames": float(length),
            "takes_kept": float(kept),
            "peak_memory_bytes": float(peak_memory_bytes(family.device)),
            "planned_memory_bytes": float(plan.peak),
            **measured,
        }
        forget_chunks(context.work_folder)
        return Result(files=files, measurements=measurements, warnings=warnings)


def _unread(prompt: PromptEmbedding, name: str) -> list[str]:
    return [f"The {name} is too long for this model; not read: “{words}”." for words in prompt.unread if words]


ENGINE = TextToVideoEngine
