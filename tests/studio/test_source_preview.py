"""What browsers cannot play is shown as a small copy; what they can is shown as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.errors import MediaError
from engines.media.formats import VideoFormat, h264, h265, prores
from studio.light_copy import LONGEST_SIDE, light_size
from studio.source_facts import facts_of, notices_of
from studio.source_preview import info_of, moving_preview, needs_copy, picture_of, preview_of
from tests.studio.footage_files import FPS, clip, picture


def test_what_plays_is_shown_itself(tmp_path: Path) -> None:
    info = info_of(clip(tmp_path / "a.mp4"))
    shown = preview_of(info, tmp_path / "previews")
    assert shown.path == info.path
    assert shown.moves
    assert not (tmp_path / "previews").exists()


@pytest.mark.parametrize(("name", "how"), [("a.mp4", h265(20)), ("b.mov", prores()), ("c.mp4", h264(20, ten_bit=True))])
def test_what_does_not_play_gets_a_copy_of_the_same_length(tmp_path: Path, name: str, how: VideoFormat) -> None:
    info = info_of(clip(tmp_path / name, how=how))
    assert needs_copy(info)
    shown = preview_of(info, tmp_path / "previews")
    copy = info_of(shown.path)
    assert (copy.codec, copy.pixel_format) == ("h264", "yuv420p")
    assert copy.duration_seconds == pytest.approx(1.0)
    assert copy.fps == FPS
    assert not needs_copy(copy)
    written = shown.path.stat().st_mtime_ns
    assert preview_of(info, tmp_path / "previews") == shown
    assert shown.path.stat().st_mtime_ns == written


def test_a_gif_is_a_picture_to_look_at_and_a_video_to_step_through(tmp_path: Path) -> None:
    info = info_of(clip(tmp_path / "a.gif"))
    assert not preview_of(info, tmp_path).moves
    assert moving_preview(info, tmp_path / "previews").suffix == ".mp4"


def test_any_picture_becomes_one_that_browsers_show(tmp_path: Path) -> None:
    info = info_of(picture(tmp_path / "a.png"))
    assert preview_of(info, tmp_path / "previews").path.suffix == ".webp"
    assert picture_of(info_of(clip(tmp_path / "b.mp4")), tmp_path / "previews").suffix == ".webp"


def test_what_is_no_media_says_so(tmp_path: Path) -> None:
    bad = tmp_path / "clip.mp4"
    bad.write_text("no video", encoding="utf-8")
    with pytest.raises(MediaError) as caught:
        info_of(bad, "video")
    assert caught.value.field == "video"


def test_the_copy_is_small_with_even_sides() -> None:
    assert light_size(3840, 2160) == (LONGEST_SIDE, 540)
    assert light_size(101, 51) == (100, 52)
    assert light_size(4000, 1) == (LONGEST_SIDE, 2)


def test_facts_and_notices_are_words(tmp_path: Path) -> None:
    info = info_of(clip(tmp_path / "a.mp4", how=h265(20, ten_bit=True)))
    assert facts_of(info) == "96 × 64 · 12 frames per second · 0:01 · HEVC, 10 bits"
    assert "The original is rendered" in notices_of(info, shows_copy=True)[0]
    assert notices_of(info, shows_copy=False) == []
    assert facts_of(info_of(picture(tmp_path / "b.png"))) == "96 × 64 · PNG"
