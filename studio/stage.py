"""The right side of every task's tab: the last result, or what the running job shows. Draws a job, decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from studio import stage_html
from studio.files import FileServer
from studio.film_strip import StripItem, film_strip, strip_value
from studio.smaller import smaller_fields

if TYPE_CHECKING:
    from engines.task import OutputFile
    from studio.jobs.job import Job

PLAYABLE = (".mp4", ".webm")
PICTURES = (".gif", ".png", ".webp")
RETRYABLE = ("failed", "cancelled", "interrupted")
CAPTION_CHARACTERS = 60


def videos_of(job: Job) -> list[OutputFile]:
    """The takes of a finished job, in the order of their seeds; [] before it is done."""
    return [file for file in job.result.files if file.kind == "video"] if job.result else []


def still_of(job: Job, video: OutputFile) -> Path | None:
    """The picture of one take: itself if it is one, else its thumbnail; None if there is none."""
    if video.path.suffix in PICTURES:
        return video.path
    files = job.result.files if job.result else []
    stills = (file.path for file in files if file.kind == "thumbnail" and file.seed == video.seed)
    return next((path for path in stills if path.exists()), None)


def stands_still(job: Job) -> bool:
    """Whether its video is one picture: Chromium's player never gets that far with a film of one frame."""
    return job.result is not None and job.result.measurements.get("frames") == 1


class Stage:
    """Components of the stage and the updates that make them show a job.

    Args:
        task: Prefix of the element ids.
        files: Serves result files.
        empty: What the empty stage shows, as HTML.
        has_seed: Whether another seed gives another video: offers to render again.
    """

    def __init__(self, task: str, files: FileServer, empty: str, has_seed: bool = False) -> None:
        self.task = task
        self.files = files
        self.empty = empty
        self.has_seed = has_seed
        with gr.Column(elem_classes=["stage"], elem_id=f"{task}-stage"):
            self.lay_out_screen()
        with gr.Row(elem_classes=["progress-row"]):
            self.progress = gr.HTML("", elem_id=f"{task}-progress", apply_default_css=False, scale=5)
            self.cancel = gr.Button("Cancel", elem_id=f"{task}-cancel", visible=False, size="md", scale=0, min_width=96)
        self.announcer = gr.HTML("", elem_id=f"{task}-announcer", elem_classes=["announcer"])
        self.facts = gr.HTML("", elem_id=f"{task}-facts", apply_default_css=False)
        with gr.Row(elem_classes=["actions"]):
            self.lay_out_actions()
        self.takes = film_strip(f"{task}-contact-sheet")
        # In the browser, not in a State: answers may come in another order than they were made in, and what the page
        # says it shows has to be what the last of them put there.
        self.shown: Any = gr.Textbox(visible="hidden", elem_id=f"{task}-shown", label="What the stage shows")

    def lay_out_screen(self) -> None:
        """What stands on the stage: words and still pictures, or a video."""
        self.screen = gr.HTML(self.empty, elem_id=f"{self.task}-screen", apply_default_css=False)
        self.video = gr.Video(
            visible=False, autoplay=True, loop=True, show_label=False, container=False, interactive=False,
            buttons=[], elem_id=f"{self.task}-video", elem_classes=["stage-video"],
        )  # fmt: skip

    def lay_out_actions(self) -> None:
        """The row of buttons below the stage."""
        self.download = self._button("Download", "download", gr.DownloadButton)
        self.unfinished = self._button("Download unfinished", "unfinished", gr.DownloadButton)
        self.reuse = self._button("Reuse settings", "reuse")
        self.again = self._button("Render again, new seed", "again")
        self.retry = self._button("Retry", "retry")
        self.smaller = self._button("Retry smaller", "smaller")

    def _button(self, label: str, name: str, kind: Any = gr.Button) -> Any:
        return kind(label, elem_id=f"{self.task}-{name}", visible=False, size="md", min_width=110)

    @property
    def outputs(self) -> list[Any]:
        return [
            self.screen, self.video, self.progress, self.cancel, self.announcer, self.facts,
            self.download, self.unfinished, self.reuse, self.again, self.retry, self.smaller, self.takes, self.shown,
        ]  # fmt: skip

    def updates(self, job: Job | None, shown: str | None, take: int = 0) -> dict[Any, Any]:
        """What has to change on the page. While a job runs this is only the preview and the bar.

        Args:
            job: The job to show; None shows the empty stage.
            shown: The value of `self.shown`: what the page shows already.
            take: Which of the videos stands on the stage.
        """
        key = f"{job.id} {job.status} {take}" if job else "nothing"
        moving: dict[Any, Any] = {self.progress: stage_html.progress_bar(job), self.shown: key}
        if job is not None and job.status in stage_html.UNFINISHED:
            moving[self.screen] = gr.update(value=stage_html.screen(job), visible=True)
            moving[self.announcer] = stage_html.announcement(job)
        return moving if shown == key else moving | self.standing(job, take)

    def standing(self, job: Job | None, take: int) -> dict[Any, Any]:
        """Everything that changes only with the state of the job."""
        videos = videos_of(job) if job and job.status == "done" else []
        chosen = videos[min(take, len(videos) - 1)].path if videos else None
        status = job.status if job else ""
        return {
            **self.picture(job, chosen),
            self.cancel: gr.update(visible=status in stage_html.UNFINISHED, interactive=True),
            self.announcer: stage_html.announcement(job),
            self.facts: stage_html.facts_line(job) if job and chosen else "",
            self.download: gr.update(visible=chosen is not None, value=self.files.cached(chosen) if chosen else None),
            self.unfinished: self._unfinished(job, videos, take),
            self.reuse: gr.update(visible=bool(status) and status not in stage_html.UNFINISHED),
            self.again: gr.update(visible=self.has_seed and chosen is not None),
            self.retry: gr.update(visible=status in RETRYABLE),
            self.smaller: gr.update(visible=job is not None and smaller_fields(job) is not None),
            self.takes: self._takes(job, videos, take),
        }

    def _unfinished(self, job: Job | None, videos: Sequence[OutputFile], take: int) -> Any:
        """Offers the clip on the stage as the model made it, where it was finished."""
        files = job.result.files if job and job.result and videos else []
        seed = videos[min(take, len(videos) - 1)].seed if videos else None
        path = next((file.path for file in files if file.kind == "unfinished" and file.seed == seed), None)
        return gr.update(visible=path is not None, value=self.files.cached(path) if path else None)

    def picture(self, job: Job | None, chosen: Path | None) -> dict[Any, Any]:
        """What stands on the stage: the chosen result of a finished job, else what its state says."""
        if job is None:
            return {
                self.screen: gr.update(value=self.empty, visible=True),
                self.video: gr.update(value=None, visible=False),
            }
        if chosen is not None and chosen.suffix in PLAYABLE and not stands_still(job):
            return {
                self.screen: gr.update(value="", visible=False),
                self.video: gr.update(value=self.files.cached(chosen), visible=True),
            }
        return {
            self.screen: gr.update(value=self._still(job, chosen), visible=True),
            self.video: gr.update(value=None, visible=False),
        }

    def _still(self, job: Job, chosen: Path | None) -> str:
        """For results that a video player cannot show (GIF, PNG sequence) and for every state without a result."""
        if chosen is None:
            return stage_html.screen(job)
        video = next(file for file in videos_of(job) if file.path == chosen)
        still = still_of(job, video)
        if still is not None:
            return (
                '<div class="screen-preview" data-state="done">'
                f'<img src="{stage_html.data_url(still)}" alt="The finished result"></div>'
            )
        return '<div class="screen-card" data-state="done"><h2>Ready to download</h2></div>'

    def _takes(self, job: Job | None, videos: Sequence[OutputFile], take: int) -> dict[str, Any]:
        if job is None or len(videos) < 2:
            return strip_value("", [])
        items = [
            self._item(
                job,
                video,
                str(index),
                f"Seed {video.seed}" if video.seed is not None else f"Take {index + 1}",
                index == take,
            )
            for index, video in enumerate(videos)
        ]
        return strip_value("Takes: pick the one to keep on the stage", items, layout="grid")

    def recent_items(self, jobs: Sequence[Job], current: str | None) -> list[StripItem]:
        """Finished jobs as clips of the strip below the stage; jobs whose files are gone are left out."""
        first = {job.id: next((file for file in videos_of(job) if file.path.exists()), None) for job in jobs}
        return [
            self._item(job, video, job.id, stage_html.title_of(job)[:CAPTION_CHARACTERS], job.id == current)
            for job in jobs
            if (video := first[job.id]) is not None
        ]

    def _item(self, job: Job, video: OutputFile, item_id: str, caption: str, selected: bool) -> StripItem:
        """A clip with its still as the poster: phones show nothing of a video before it is touched."""
        still = still_of(job, video)
        return {
            "id": item_id,
            "caption": caption,
            "video": self.files.file_data(video.path) if video.path.suffix in PLAYABLE else None,
            "poster": self.files.file_data(still) if still else None,
            "selected": selected,
        }
