"""A job renders its own copies of the files that were there when it was submitted."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from engines.errors import InvalidRequest, MediaError, ResourceError
from studio import home as studio_home_module
from studio.jobs.queue import JobQueue
from tests.studio.jobs.conftest import wait_for_end


def picture(path: Path, shade: int = 90, size: tuple[int, int] = (32, 16)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, shade, shade)).save(path)
    return path


def clip(path: Path) -> Path:
    frames = [Image.new("RGB", (32, 16), (shade, 0, 0)) for shade in (0, 100, 200)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=500)
    return path


def folders(queue: JobQueue) -> list[Path]:
    return list((queue.home / "jobs").iterdir())


def test_the_job_has_its_own_copy_with_its_facts(inline_queue: JobQueue, tmp_path: Path) -> None:
    original = clip(tmp_path / "mein clip.gif")
    whole = original.read_bytes()
    job = inline_queue.submit("fake", {"video": str(original)})
    copy = Path(job.fields["video"])
    assert copy == job.folder / "inputs" / "video" / "mein clip.gif"
    assert job.inputs == {
        "video": [{
            "name": "mein clip.gif", "width": 32, "height": 16, "fps": pytest.approx(2.0),
            "seconds": pytest.approx(1.5), "sha256": hashlib.sha256(whole).hexdigest(),
        }]
    }  # fmt: skip
    original.unlink()
    done = wait_for_end(inline_queue, job)
    assert done.result is not None
    assert done.result.files[0].path.read_bytes() == whole
    assert copy.read_bytes() == whole


def test_a_file_outside_the_studio_may_change_afterwards(waiting_queue: JobQueue, tmp_path: Path) -> None:
    original = picture(tmp_path / "a.png")
    whole = original.read_bytes()
    job = waiting_queue.submit("fake", {"video": str(original)})
    with original.open("r+b") as file:
        file.write(b"changed")
    assert Path(job.fields["video"]).read_bytes() == whole


def test_a_file_of_the_studio_is_linked_and_takes_no_room(waiting_queue: JobQueue) -> None:
    upload = picture(waiting_queue.home / "uploads" / "x" / "a.png")
    job = waiting_queue.submit("fake", {"video": str(upload)})
    assert Path(job.fields["video"]).samefile(upload)


def test_several_files_of_one_name_are_kept_apart(waiting_queue: JobQueue, tmp_path: Path) -> None:
    given = [picture(tmp_path / folder / "a.png", shade) for folder, shade in (("one", 10), ("two", 200))]
    job = waiting_queue.submit("fake", {"pictures": [str(path) for path in given]})
    assert [Path(copy).read_bytes() for copy in job.fields["pictures"]] == [path.read_bytes() for path in given]
    assert [facts["name"] for facts in job.inputs["pictures"]] == ["a.png", "a.png"]


def test_a_folder_of_pictures_is_copied_whole(waiting_queue: JobQueue, tmp_path: Path) -> None:
    for number in range(3):
        picture(tmp_path / "shots" / f"{number}.png", number * 50)
    job = waiting_queue.submit("fake", {"video": str(tmp_path / "shots")})
    assert sorted(path.name for path in Path(job.fields["video"]).iterdir()) == ["0.png", "1.png", "2.png"]
    assert len(job.inputs["video"][0]["sha256"]) == 64


def test_weights_are_kept_unread(waiting_queue: JobQueue, tmp_path: Path) -> None:
    (tmp_path / "my.safetensors").write_bytes(b"weights")
    job = waiting_queue.submit("fake", {"weights": str(tmp_path / "my.safetensors")})
    assert Path(job.fields["weights"]).read_bytes() == b"weights"
    digest = hashlib.sha256(b"weights").hexdigest()
    assert job.inputs == {"weights": [{"name": "my.safetensors", "sha256": digest}]}


def test_the_request_lies_in_the_folder_with_relative_paths(waiting_queue: JobQueue, tmp_path: Path) -> None:
    job = waiting_queue.submit("fake", {"video": str(picture(tmp_path / "a.png"))}, "ada")
    stored = json.loads((job.folder / "job.json").read_text())
    assert (stored["id"], stored["owner"], stored["task"]) == (job.id, "ada", "fake")
    assert stored["fields"]["video"] == "inputs/video/a.png"
    assert stored["inputs"] == job.inputs


def test_the_studio_s_folder_may_be_moved(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path / "old", worker="inline")
    job = queue.submit("fake", {"video": str(picture(tmp_path / "a.png"))})
    queue.stop()
    (tmp_path / "old").rename(tmp_path / "new")
    with JobQueue(tmp_path / "new", worker="inline") as queue:
        assert wait_for_end(queue, job).status == "done"


@pytest.mark.parametrize("path", ["/no/such/file.mp4", "a.mp4", "/", "/tmp/..", "/" + "x" * 5000, "/a\0b"])
def test_a_file_that_is_not_there_is_refused(waiting_queue: JobQueue, path: str) -> None:
    for call in (waiting_queue.submit, waiting_queue.estimate):
        with pytest.raises(MediaError, match="Choose the file again") as error:
            call("fake", {"video": path})
        assert error.value.field == "video"
        assert len(error.value.message) < 150
    assert folders(waiting_queue) == []


def test_what_is_no_media_is_refused_and_leaves_nothing(waiting_queue: JobQueue, tmp_path: Path) -> None:
    (tmp_path / "letter.mp4").write_text("Dear all")
    with pytest.raises(MediaError) as error:
        waiting_queue.submit("fake", {"video": str(tmp_path / "letter.mp4")})
    assert error.value.field == "video"
    assert folders(waiting_queue) == []


def test_the_inputs_have_to_fit_on_the_disk(
    waiting_queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = picture(tmp_path / "a.png")
    (tmp_path / "large.safetensors").write_bytes(bytes(2**20))
    usage = shutil.disk_usage(tmp_path)._replace(free=2**19)
    monkeypatch.setattr(studio_home_module, "MINIMUM_FREE_BYTES", 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert waiting_queue.submit("fake", {"video": str(given)}).status == "queued"
    with pytest.raises(ResourceError, match="Free some space"):
        waiting_queue.submit("fake", {"weights": str(tmp_path / "large.safetensors")})
    assert len(folders(waiting_queue)) == 1


def test_the_same_key_with_the_same_file_is_the_same_job(waiting_queue: JobQueue, tmp_path: Path) -> None:
    fields = {"video": str(picture(tmp_path / "a.png"))}
    first = waiting_queue.submit("fake", fields, idempotency_key="k")
    assert waiting_queue.submit("fake", fields, idempotency_key="k").id == first.id
    assert folders(waiting_queue) == [first.folder]
    picture(tmp_path / "a.png", 91)
    with pytest.raises(InvalidRequest, match="Send a new key"):
        waiting_queue.submit("fake", fields, idempotency_key="k")
    assert folders(waiting_queue) == [first.folder]


def test_the_copies_of_a_job_are_inputs_of_the_next(inline_queue: JobQueue, tmp_path: Path) -> None:
    first = wait_for_end(inline_queue, inline_queue.submit("fake", {"video": str(clip(tmp_path / "a.gif"))}))
    again = wait_for_end(inline_queue, inline_queue.submit("fake", first.fields))
    assert again.status == "done"
    assert Path(again.fields["video"]).samefile(first.fields["video"])


def test_a_copy_that_is_gone_is_said(waiting_queue: JobQueue, tmp_path: Path) -> None:
    job = waiting_queue.submit("fake", {"video": str(picture(tmp_path / "a.png"))})
    Path(job.fields["video"]).unlink()
    waiting_queue.start()
    failed = wait_for_end(waiting_queue, job)
    assert failed.error is not None
    assert failed.error["code"] == "not_available"
    assert failed.error["field"] == "video"
    assert failed.error["fix"] == "Submit it as a new job with the file."
