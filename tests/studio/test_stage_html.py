"""Each state of a job says what happens and what to do, and nothing from outside becomes markup."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.task import Result
from studio import stage_html
from tests.studio.a_job import job


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0:00"), (21.4, "0:21"), (725, "12:05"), (3723, "1:02:03"), (-3, "0:00")]
)
def test_clock(seconds: float, words: str) -> None:
    assert stage_html.clock(seconds) == words


def test_a_queued_job_says_how_many_are_before_it(tmp_path: Path) -> None:
    assert "It starts next" in stage_html.screen(job(tmp_path))
    assert "2 before it" in stage_html.screen(job(tmp_path, position=3))


def test_the_bar_is_as_long_as_the_steps_that_are_done(tmp_path: Path) -> None:
    running = job(tmp_path, status="running", phase="denoising", step=14, total=20, seconds_left=21.0)
    bar = stage_html.progress_bar(running)
    assert 'aria-valuenow="14"' in bar
    assert "width:70.0%" in bar
    assert "step 14 of 20" in bar
    assert "0:21 left" in bar


def test_a_bar_without_known_steps_stands_at_nothing(tmp_path: Path) -> None:
    assert "width:0.0%" in stage_html.progress_bar(job(tmp_path, status="running", phase="loading"))


def test_a_job_that_is_over_has_no_bar(tmp_path: Path) -> None:
    assert stage_html.progress_bar(job(tmp_path, status="cancelled")) == ""


def test_a_paused_job_says_so(tmp_path: Path) -> None:
    paused = job(tmp_path, status="paused", step=3, total=9)
    assert "Paused" in stage_html.screen(paused)
    assert 'aria-valuenow="3"' in stage_html.progress_bar(paused)
    assert "paused" in stage_html.announcement(paused)


def test_a_job_about_footage_says_which_part_of_which_file_became_what(tmp_path: Path) -> None:
    measured = {"width": 192.0, "height": 128.0, "fps": 23.976, "frames": 48.0, "seconds": 12.0}
    fields = {"video": "/jobs/x/inputs/video/my <b>.mp4", "start": 1.0, "end": 3.0}
    line = stage_html.facts_line(job(tmp_path, fields=fields, result=Result(files=[], measurements=measured)))
    assert "my &lt;b&gt;.mp4" in line
    assert "from 0:01 to 0:03 · 192 × 128 · 23.98 frames per second · 48 frames · rendered in 12 s" in line


def test_the_preview_travels_inside_the_page(tmp_path: Path) -> None:
    preview = tmp_path / "preview.webp"
    preview.write_bytes(b"RIFFxxxxWEBP")
    shown = stage_html.screen(job(tmp_path, status="running", preview=preview, preview_version=4))
    assert "data:image/webp;base64," in shown
    assert 'data-version="4"' in shown


def test_a_failure_says_what_to_do_and_folds_the_log(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("Traceback <b>bold</b>", encoding="utf-8")
    error = {"code": "bug", "field": None, "message": "It broke.", "fix": "Retry it."}
    shown = stage_html.screen(job(tmp_path, status="failed", error=error))
    assert "It broke." in shown
    assert "Retry it." in shown
    assert "<details>" in shown
    assert "Traceback &lt;b&gt;bold" in shown


def test_interrupted_and_cancelled_jobs_offer_a_retry(tmp_path: Path) -> None:
    for status in ("interrupted", "cancelled"):
        assert "Retry" in stage_html.screen(job(tmp_path, status=status))


def test_text_from_outside_is_never_markup(tmp_path: Path) -> None:
    bad = '<img src=x onerror="alert(1)">'
    running = job(tmp_path, status="running", phase=bad, message=bad)
    done = job(tmp_path, status="done", fields={"prompt": bad}, warnings=[bad], result=Result(files=[]))
    texts = [
        stage_html.screen(running),
        stage_html.progress_bar(running),
        stage_html.facts_line(done),
        stage_html.empty_screen([bad]),
    ]
    assert all("<img" not in text for text in texts)


def test_screen_readers_hear_the_state_and_not_every_step(tmp_path: Path) -> None:
    first = job(tmp_path, status="running", phase="denoising", step=1, total=20)
    later = job(tmp_path, status="running", phase="denoising", step=2, total=20)
    assert stage_html.announcement(first) == stage_html.announcement(later)
    assert 'aria-live="polite"' in stage_html.announcement(later)


def test_an_edit_says_how_faithfully_the_clip_was_inverted(tmp_path: Path) -> None:
    measured = {
        "width": 96.0, "height": 96.0, "fps": 24.0, "frames": 17.0, "seconds": 12.0, "evaluations": 73.0,
        "roundtrip_psnr": 46.4, "noise_std": 0.962, "noise_correlation": 0.001,
    }  # fmt: skip
    fields = {"prompt": "an owl in the snow", "video": "fox.mp4", "mode": "words"}
    line = stage_html.facts_line(job(tmp_path, fields=fields, result=Result(files=[], measurements=measured)))
    for words in ("inverted to 46 dB", "noise 0.96 wide (1 is ideal)", "alike by +0.00", "73 model calls", "96 × 96"):
        assert words in line
    assert "None" not in line
    plain = {name: value for name, value in measured.items() if name in ("width", "height", "seconds", "evaluations")}
    assert "model calls" not in stage_html.facts_line(job(tmp_path, result=Result(files=[], measurements=plain)))
