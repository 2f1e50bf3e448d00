from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from engines.errors import LimitExceeded, MediaError, NotAvailable
from engines.media.clip import Clip
from engines.media.metadata import KEY, OutputRecord, read_record, read_request, sidecar_of
from engines.media.writer import write_clip
from tests.engines.media.synthesis import moving_picture, write_video

REQUEST = {"task": "text_to_video", "prompt": "a “quoted” \\ prompt, 20 kB: " + "雪" * 6000, "seed": 2**32 - 1}
CLIP = Clip(moving_picture(3), Fraction(12))


@pytest.mark.parametrize("suffix", ["mp4", "webm", "gif", "zip"])
def test_the_request_comes_back_from_every_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    write_clip(path, CLIP, metadata={"framewright": "0.1.0", "request": REQUEST, "model": {"id": "diorama"}})
    assert read_request(path) == REQUEST
    if suffix in ("gif", "zip"):
        assert read_request(sidecar_of(path)) == REQUEST
        sidecar_of(path).unlink()
        with pytest.raises(NotAvailable) as caught:
            read_request(path)
        assert ".json file that lies beside" in caught.value.fix


def test_a_file_of_somebody_else_has_no_settings(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", moving_picture(3))
    with pytest.raises(NotAvailable) as caught:
        read_record(path, field="file")
    assert caught.value.field == "file"
    assert caught.value.fix.startswith("Choose an MP4 or WebM that Framewright made")
    (tmp_path / "b.mp4").write_text("text")
    with pytest.raises(MediaError):
        read_record(tmp_path / "b.mp4")


@pytest.mark.parametrize(
    "text", ["not json", "[1, 2]", '{"request": {}}', '{"framewright": "1", "request": "x"}', "[" * 100_000]
)
def test_foreign_content_under_our_key_is_refused(tmp_path: Path, text: str) -> None:
    options = {"movflags": "use_metadata_tags"}
    write_video(tmp_path / "a.mp4", moving_picture(3), metadata={KEY: text}, options=options)
    (tmp_path / "a.json").write_text(text)
    for name in ("a.mp4", "a.json"):
        with pytest.raises(MediaError) as caught:
            read_record(tmp_path / name)
        assert "its settings cannot be read" in caught.value.message


def test_a_huge_record_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    text = json.dumps({"framewright": "1", "request": {"prompt": "x" * 1024**2}})
    (tmp_path / "a.json").write_text(text)
    write_video(tmp_path / "a.mp4", moving_picture(3), metadata={KEY: text}, options={"movflags": "use_metadata_tags"})
    for name in ("a.mp4", "a.json"):
        with pytest.raises(LimitExceeded) as caught:
            read_record(tmp_path / name)
        assert "at most 1,048,576 are allowed" in caught.value.message


def test_fields_of_later_versions_are_kept() -> None:
    record = OutputRecord.model_validate({"framewright": "9", "request": {}, "later": 1})
    assert json.loads(record.as_json())["later"] == 1
