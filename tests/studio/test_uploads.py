"""What people bring is kept once, under their own name for it, and only for them."""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path

import pytest

from engines.errors import LimitExceeded, MediaError
from studio.uploads import DAYS_KEPT, MOST_FILES, Uploads, lines_of, paths_of, safe_name
from tests.studio.footage_files import clip, picture


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "home")


def zip_of(path: Path, *files: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            archive.write(file, file.name)
    return path


def test_the_same_bytes_under_the_same_name_are_kept_once(uploads: Uploads, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"one")
    first = uploads.keep(tmp_path / "a.mp4", "anna")
    assert first == uploads.keep(tmp_path / "a.mp4", "anna")
    assert first.read_bytes() == b"one"
    assert first.name == "a.mp4"


def test_a_file_belongs_to_who_brought_it(uploads: Uploads, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"one")
    kept = uploads.keep(tmp_path / "a.mp4", "anna")
    assert uploads.owns(kept, "anna")
    assert not uploads.owns(kept, "bert")
    assert not uploads.owns(tmp_path / "a.mp4", "anna")
    assert not uploads.owns(kept.parent / ".." / ".." / ".." / ".." / "a.mp4", "anna")


def test_a_link_out_of_the_folder_is_followed_and_refused(uploads: Uploads, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"one")
    (tmp_path / "secret").write_bytes(b"secret")
    kept = uploads.keep(tmp_path / "a.mp4", "anna")
    link = kept.with_name("link.mp4")
    link.symlink_to(tmp_path / "secret")
    assert not uploads.owns(link, "anna")


def test_videos_in_a_zip_file_stand_for_themselves(uploads: Uploads, tmp_path: Path) -> None:
    videos = [clip(tmp_path / name) for name in ("a.mp4", "b.mp4")]
    (tmp_path / ".DS_Store").write_bytes(b"x")
    archive = zip_of(tmp_path / "both.zip", *videos, tmp_path / ".DS_Store")
    assert [kept.name for kept in uploads.keep_all([archive], "anna")] == ["a.mp4", "b.mp4"]


def test_pictures_in_a_zip_file_are_one_clip(uploads: Uploads, tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "sequence.zip", picture(tmp_path / "1.png"), picture(tmp_path / "2.png"))
    assert [kept.name for kept in uploads.keep_all([archive], "anna")] == ["sequence.zip"]


def test_a_damaged_zip_file_says_what_to_do(uploads: Uploads, tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 no zip file")
    with pytest.raises(MediaError) as caught:
        uploads.keep_all([tmp_path / "bad.zip"], "anna")
    assert "without a password" in caught.value.fix


def test_too_many_files_are_refused(uploads: Uploads, tmp_path: Path) -> None:
    many = []
    for index in range(MOST_FILES + 1):
        many.append(tmp_path / f"{index}.mp4")
        many[-1].write_bytes(str(index).encode())
    with pytest.raises(LimitExceeded) as caught:
        uploads.keep_all(many, "anna")
    assert f"at most {MOST_FILES}" in caught.value.fix


def test_what_nobody_used_for_a_week_goes(uploads: Uploads, tmp_path: Path) -> None:
    for name in ("old", "used", "new"):
        (tmp_path / name).write_bytes(name.encode())
    old, used = (uploads.keep(tmp_path / name, "anna") for name in ("old", "used"))
    past = time.time() - (DAYS_KEPT + 1) * 86400
    for kept in (old, used):
        os.utime(kept.parent, (past, past))
    uploads.touch(used)
    uploads.keep(tmp_path / "new", "anna")
    assert not old.exists()
    assert used.exists()


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("clip.mp4", "clip.mp4"),
        ("../../x.mp4", "x.mp4"),
        ("a\\b.mov", "b.mov"),
        ("a\nb.mp4", "a_b.mp4"),
        ("..", "file"),
    ],
)
def test_names_are_made_safe(given: str, safe: str) -> None:
    assert safe_name(given) == safe


def test_a_long_name_fits_on_every_disk() -> None:
    assert len(safe_name("ä" * 400 + ".mp4").encode()) < 255


def test_paths_go_through_a_text_field_and_come_back() -> None:
    paths = [Path("/a b/c.mp4"), Path("/d.mp4")]
    assert paths_of(lines_of(paths)) == paths
    assert paths_of("") == paths_of(None) == []
