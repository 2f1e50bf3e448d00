"""Files of an endpoint are uploads or one's own; every other path is refused, whatever stands at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engines.errors import InvalidRequest
from studio.jobs.queue import JobQueue
from studio.owned_files import OwnedFiles
from studio.task_endpoints import with_files
from tests.studio.footage_files import clip


@pytest.fixture
def owned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OwnedFiles:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    return OwnedFiles(JobQueue(tmp_path / "home", worker="inline"))


def file_data(path: Path | str) -> dict[str, Any]:
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


def test_an_upload_is_kept_for_its_owner(owned: OwnedFiles, tmp_path: Path) -> None:
    uploaded = clip(tmp_path / "cache" / "hash" / "a.mp4")
    fields = with_files("super_resolution", {"video": file_data(uploaded), "factor": 2}, owned, "anna")
    assert owned.uploads.owns(Path(fields["video"]), "anna")
    assert fields["factor"] == 2
    again = with_files("super_resolution", {"video": fields["video"]}, owned, "anna")
    assert again == {"video": fields["video"]}
    with pytest.raises(InvalidRequest):
        with_files("super_resolution", {"video": fields["video"]}, owned, "bert")


def test_a_file_that_may_be_missing_is_left_out(owned: OwnedFiles, tmp_path: Path) -> None:
    uploaded = clip(tmp_path / "cache" / "a.mp4")
    fields = with_files("interpolation", {"video": file_data(uploaded), "second": None}, owned, "anna")
    assert "second" not in fields


@pytest.mark.parametrize("path", ["/etc/passwd", "cache/../../etc/passwd", "", "a.mp4", "/proc/self/environ"])
def test_other_paths_are_refused(owned: OwnedFiles, tmp_path: Path, path: str) -> None:
    for given in (file_data(path), file_data(tmp_path / "cache" / ".." / ".." / "etc" / "passwd")):
        with pytest.raises(InvalidRequest) as caught:
            with_files("super_resolution", {"video": given}, owned, "anna")
        assert caught.value.field == "video"
        assert caught.value.fix == "Choose the file again."
