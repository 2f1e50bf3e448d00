"""The stage of a task about footage: before and after in step, and the whole of it after a trial."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from engines.errors import UserError
from studio.compare_player import CompareValue, compare_player, nothing_to_compare
from studio.comparison import comparison, waiting_for_comparison
from studio.events import BESIDE_THE_QUEUE
from studio.files import FileServer
from studio.owned_files import OwnedFiles
from studio.owner import owner_of
from studio.stage import Stage, videos_of
from studio.trials import Trials

if TYPE_CHECKING:
    from studio.jobs.job import Job


class CompareStage(Stage):
    """Components of the stage.

    Args:
        task, files, empty: As of Stage.
        owned: Knows the jobs and keeps what is shown of their files.
        trials: Knows which jobs are trials.
    """

    def __init__(self, task: str, files: FileServer, empty: str, owned: OwnedFiles, trials: Trials) -> None:
        super().__init__(task, files, empty)
        self.owned, self.trials = owned, trials

    def lay_out_screen(self) -> None:
        super().lay_out_screen()
        self.compare: Any = compare_player(self.task)

    def lay_out_actions(self) -> None:
        self.all_of_it = gr.Button(
            "Render all of it", variant="primary", elem_id=f"{self.task}-all", visible=False, size="md", min_width=110
        )
        super().lay_out_actions()

    @property
    def outputs(self) -> list[Any]:
        return [*super().outputs, self.compare, self.all_of_it]

    def standing(self, job: Job | None, take: int) -> dict[Any, Any]:
        is_trial = job is not None and job.status == "done" and self.trials.full_fields(job) is not None
        return super().standing(job, take) | {self.all_of_it: gr.update(visible=is_trial)}

    def picture(self, job: Job | None, chosen: Path | None) -> dict[Any, Any]:
        if job is None or chosen is None:
            return super().picture(job, chosen) | {self.compare: nothing_to_compare()}
        return {
            self.screen: gr.update(value="", visible=False),
            self.video: gr.update(value=None, visible=False),
            self.compare: waiting_for_comparison("Putting before and after side by side…"),
        }

    def fill(self, request: gr.Request, shown: str) -> CompareValue:
        """Before and after of the job that the page says it shows; making them ready may take a while."""
        job_id, _, status = shown.partition(" ")
        if not status.startswith("done"):
            return nothing_to_compare()
        try:
            job = self.owned.queue.get(job_id, owner_of(request))
            return comparison(job, videos_of(job)[0].path, self.owned, self.files)
        except UserError as error:
            return waiting_for_comparison(str(error))

    def wire(self, back: Any) -> None:
        """Connects the handlers. back: the event after which a closed tab holds the job of last time."""
        back.then(self.fill, self.shown, self.compare, **BESIDE_THE_QUEUE)
        self.shown.change(self.fill, self.shown, self.compare, trigger_mode="always_last", **BESIDE_THE_QUEUE)
