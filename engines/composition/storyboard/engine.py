"""The storyboard engine: scenes → takes → one film with crossfades, titles and music.

Importing this module and `check` leave torch unloaded; `run` brings it in.
"""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from engines.backend.catalogue import Feature
from engines.backend.geometry import plan_geometry
from engines.backend.model_files import locate
from engines.composition.finishing.finisher import Finisher
from engines.composition.storyboard.music import check_music, music_for
from engines.composition.storyboard.pictures import check_pictures
from engines.composition.storyboard.request import StoryboardRequest
from engines.composition.storyboard.takes import FilmPlan, plan_takes
from engines.context import RunContext
from engines.diorama.prompt_words import unknown_words_sentence
from engines.media.digest import file_digest
from engines.model_engine import ModelEngine, check_token_levels, model_record
from engines.task import OutputFile, Result

if TYPE_CHECKING:
    from engines.backend.families.base import Family
    from engines.backend.registry import ModelRegistry
    from engines.composition.storyboard.sampling import LatentFootage

NAME = "film"
SHEET_FRAMES = 3


class StoryboardEngine(ModelEngine):
    """Renders storyboards. Models and networks are kept between runs. See ModelEngine."""

    def __init__(self, models: ModelRegistry | None = None) -> None:
        super().__init__(models)
        self._finisher = Finisher(smooths=False)

    def check(self, request: StoryboardRequest) -> list[str]:
        """Warnings. Raises: UserError if the request cannot be rendered."""
        catalogue = self._catalogue()
        card = catalogue.card(request.model)
        check_token_levels(card, Feature.TEXT_TO_VIDEO, "cannot be told how a part begins")
        plan = plan_takes(request, card)
        longest = max(chunk.frames for take in plan.takes for chunk in take.chunks.chunks[:1])
        geometry = plan_geometry(card, request.height, request.width, longest, card.defaults.fps)
        locate(card)
        if request.is_finished:
            self._finisher.check()
        said = [plan.sentence(), *(text for text in geometry.warnings if "lengths" not in text)]
        said += check_pictures(request, plan)
        said += [unknown_words_sentence(scene.prompt, card, catalogue) for scene in request.scenes]
        if request.music is not None:
            said += check_music(request.music, request.music_fade_seconds, plan.frames / plan.fps)
        return list(dict.fromkeys(text for text in said if text))

    def run(self, request: StoryboardRequest, context: RunContext) -> Result:
        """Renders into context.work_folder; what an earlier run of the same request finished there is kept.

        Returns: the film and its still, and a contact sheet of the scenes; measurements as `render_job`, and takes,
            parts.
        Raises: UserError, Cancelled or Paused.
        """
        from engines.composition.storyboard.assembly import FilmFootage
        from engines.footage.rendered_task import FootageJob, export_output, export_path, render_job
        from engines.long_video.finished import forget_chunks

        started = time.perf_counter()
        warnings = self.check(request)
        models = self._registry(context)
        context.step("loading", 0, 1)
        family: Family = models.load(request.model)
        context.step("loading", 1, 1)
        plan = plan_takes(request, family.card)
        path = export_path(request, context.work_folder, NAME, Fraction(plan.fps))
        longest = max(take.chunks.chunks[0].frames for take in plan.takes)
        family.prepare(plan_geometry(family.card, request.height, request.width, longest, plan.fps), 2, models.budget)
        takes = _sampled(family, request, plan, context)
        music = None
        if request.music is not None:
            music = music_for(request.music, plan.frames / plan.fps, request.music_fade_seconds, request.loudness)
        finished = [self._finisher.stage(take) for take in takes] if request.is_finished else takes
        film = FilmFootage(plan, finished)
        inputs: dict[str, Any] = {} if request.music is None else {"music": file_digest(request.music)}
        if request.pictures:
            inputs["pictures"] = [file_digest(path) for path in request.pictures]
        record = model_record(request, family, inputs)
        if request.is_finished:
            record = self._finisher.recorded(record)
        output = export_output(request, path, record, music)
        result = render_job(FootageJob(film, output, family.device, warnings), context, started)
        forget_chunks(context.work_folder)
        sheet = _sheet(request, plan, takes, context)
        measured = {**result.measurements, "takes": float(len(plan.takes)), "parts": float(plan.parts)}
        return result.model_copy(update={"files": [*result.files, sheet], "measurements": measured})


def _sampled(family: Family, request: StoryboardRequest, plan: FilmPlan, context: RunContext) -> list[LatentFootage]:
    from engines.composition.storyboard.sampling import LatentFootage, sample_take

    takes, done = [], 0
    for take in plan.takes:
        latents = sample_take(family, request, plan, take, context, done)
        takes.append(LatentFootage(family, latents, take.frames))
        done += len(take.chunks.chunks) * request.steps
    return takes


def _sheet(request: StoryboardRequest, plan: FilmPlan, takes: list[LatentFootage], context: RunContext) -> OutputFile:
    """A few frames of every scene."""
    import numpy as np
    import numpy.typing as npt

    from engines.footage.alignment import eight_bit
    from engines.media.contact_sheet import contact_sheet, save_picture, spread

    clips, labels = list[npt.NDArray[np.uint8]](), list[str]()
    for take, footage in zip(plan.takes, takes, strict=True):
        for scene, heard in take.scenes:
            shown = [heard.start + index for index in spread(len(heard), min(SHEET_FRAMES, len(heard)))]
            clips.append(np.stack([eight_bit(next(iter(footage.frames(range(one, one + 1))))) for one in shown]))
            labels.append(f"{len(labels) + 1}. {scene.prompt}")
    path = context.work_folder / "contact_sheet.png"
    save_picture(path, contact_sheet(clips, columns=2, labels=labels, frames_per_clip=SHEET_FRAMES))
    return OutputFile(path=path, kind="contact_sheet")


ENGINE = StoryboardEngine
