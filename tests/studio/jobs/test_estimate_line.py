from __future__ import annotations

from studio.estimates import estimate_line
from studio.jobs.queue import JobQueue
from tests.studio.jobs.conftest import wait_for_end


def test_the_first_render_has_yet_to_tell(waiting_queue: JobQueue) -> None:
    said = estimate_line(waiting_queue, "fake", [{}], "local", "2 s long")
    assert said == '<p class="estimate">2 s long · the first render will tell how long it takes</p>'


def test_nothing_is_said_about_what_cannot_be_rendered(waiting_queue: JobQueue) -> None:
    assert estimate_line(waiting_queue, "fake", [{}, {"steps": 0}], "local") == ""
    assert estimate_line(waiting_queue, "fake", [], "local") == ""


def test_time_and_disk_add_up_and_the_largest_says_how_much_memory(inline_queue: JobQueue) -> None:
    wait_for_end(inline_queue, inline_queue.submit("fake", {"steps": 20}))
    one = inline_queue.estimate("fake", {"steps": 20})
    assert one.memory_bytes is not None
    said = estimate_line(inline_queue, "fake", [{"steps": 20}] * 3, "local")
    assert " to render · " in said
    assert f"{one.memory_bytes / 1e6:.0f} MB of memory" in said or "GB of memory" in said
    assert said.endswith(" on the disk</p>")
