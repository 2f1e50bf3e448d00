"""A film that was interrupted anywhere, by anything, comes out as one that was not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from engines.backend.families.base import Family
from engines.backend.registry import ModelRegistry
from engines.errors import ResourceError
from engines.long_video.chunk_plan import ChunkPlan
from engines.long_video.finished import FinishedChunks
from tests.engines.long_video.chains import make_film

PLAN = ChunkPlan(49, 17, 8)
REQUEST = {"prompt": "a fox", "seed": 0}


class Killed(BaseException):
    """No engine catches it."""


@pytest.fixture(scope="module")
def family(tiny_diorama: ModelRegistry) -> Family:
    return tiny_diorama.load("diorama")


@pytest.fixture(scope="module")
def whole(family: Family, tmp_path_factory: pytest.TempPathFactory) -> tuple[torch.Tensor, list[bytes]]:
    """The film of a run without a kill, and its files."""
    store = store_in(tmp_path_factory.mktemp("whole"))
    film = make_film(family, PLAN, store)
    return film, [store.path(chunk.index).read_bytes() for chunk in PLAN.chunks]


def store_in(folder: Path, **other: object) -> FinishedChunks:
    how = {"plan": PLAN, "request": REQUEST, "revision": "abc", **other}
    return FinishedChunks(folder, **how)  # type: ignore[arg-type]


def killed_after(chunk: int) -> Callable[[int], None]:
    def kill(index: int) -> None:
        if index == chunk:
            raise Killed

    return kill


def deleted(path: Path) -> None:
    path.unlink()


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("kill_after", [0, 2])
def test_a_killed_film_goes_on_and_is_the_same_to_the_bit(
    kill_after: int, family: Family, whole: tuple[torch.Tensor, list[bytes]], tmp_path: Path
) -> None:
    with pytest.raises(Killed):
        make_film(family, PLAN, store_in(tmp_path), killed_after(kill_after))
    assert store_in(tmp_path).kept == kill_after + 1
    made: list[int] = []
    again = make_film(family, PLAN, store_in(tmp_path), made.append)
    assert made == list(range(kill_after + 1, len(PLAN.chunks)))
    assert torch.equal(again, whole[0])
    assert [store_in(tmp_path).path(chunk.index).read_bytes() for chunk in PLAN.chunks] == whole[1]


@pytest.mark.parametrize("damage", [deleted, truncated, emptied, flipped])
def test_a_damaged_chunk_is_made_again_and_no_other(
    damage: Callable[[Path], None], family: Family, whole: tuple[torch.Tensor, list[bytes]], tmp_path: Path
) -> None:
    store, made = store_in(tmp_path), []
    make_film(family, PLAN, store)
    damage(store.path(1))
    assert store.read(1) is None
    assert torch.equal(make_film(family, PLAN, store, made.append), whole[0])
    assert made == [1]
    assert store.path(1).read_bytes() == whole[1][1]


def test_a_half_written_file_is_no_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    store = store_in(tmp_path)
    store.write(0, torch.ones(1, 8, 5, 2, 2))
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ResourceError, match="No space left"):
        store.write(1, torch.ones(1, 8, 5, 2, 2))
    assert store.read(1) is None
    assert store.read(0) is not None
    assert len(list(tmp_path.rglob("*.*"))) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"request": {"prompt": "a fox", "seed": 1}},
        {"plan": ChunkPlan(49, 17, 4)},
        {"revision": "abd"},
    ],
)
def test_chunks_of_another_job_are_ignored_and_left(other: dict[str, object], tmp_path: Path) -> None:
    ours, theirs = store_in(tmp_path), store_in(tmp_path, **other)
    ours.write(0, torch.zeros(1, 8, 5, 2, 2))
    assert theirs.read(0) is None
    theirs.write(0, torch.ones(1, 8, 5, 2, 2))
    assert (ours.kept, theirs.kept) == (1, 1)
    ours.remove()
    assert (ours.kept, theirs.kept) == (0, 1)


def test_a_chunk_under_anothers_name_is_not_believed(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.write(0, torch.zeros(1, 8, 5, 2, 2))
    store.path(0).rename(store.path(1))
    assert store.read(1) is None


def test_the_key_is_of_values_and_not_of_their_order(tmp_path: Path) -> None:
    turned = dict(reversed(REQUEST.items()))
    assert store_in(tmp_path).key(3) == store_in(tmp_path / "elsewhere", request=turned).key(3)
    assert store_in(tmp_path).key(3) != store_in(tmp_path).key(2)
    with pytest.raises(TypeError):
        store_in(tmp_path, request={"prompt": object()})
