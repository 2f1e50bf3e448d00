"""What is kept of a run: by what it is found again, how much, and where it goes when memory is full."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engines.backend.attention.feature_store import FeatureStore, Spill, by_interval
from engines.errors import ResourceError
from engines.sampling.site import Site

HERE = Site(3, 0, 0.6)
LIKE = torch.zeros(1)


def ones(count: int) -> torch.Tensor:
    return torch.ones(1, count)


def test_a_store_keeps_to_its_budget() -> None:
    store = FeatureStore(budget=1000)
    store.put(HERE, "self", "key", torch.zeros(1, 100))
    store.put(HERE, "self", "key", ones(100))
    assert store.nbytes == 200
    assert store.has(HERE, "self", "key")
    assert not store.has(HERE, "cross", "key")
    assert float(store.get(HERE, "self", "key", LIKE).sum()) == 100
    with pytest.raises(ResourceError, match="more than 1 MB") as caught:
        store.put(Site(4, 0, 0.5), "self", "key", torch.zeros(1, 1000))
    assert "fewer frames" in caught.value.fix
    assert len(store) == 1


def test_the_way_down_finds_what_was_seen_at_the_same_level() -> None:
    store = FeatureStore(budget=1000)
    store.put(Site(2, 1, 0.25), "self", "value", ones(5))
    assert store.has(Site(17, 0, 0.25 + 2e-7), "self", "value")
    assert not store.has(Site(2, 1, 0.2501), "self", "value")


def test_keyed_by_interval_both_directions_meet_at_the_noisier_end() -> None:
    store = FeatureStore(budget=1000)
    up, down = by_interval(10, rising=True), by_interval(10, rising=False)
    store.put(Site(9, 0, 0.9), "self", "value", ones(5), up)
    assert store.has(Site(0, 0, 1.0), "self", "value", down)
    assert not store.has(Site(1, 0, 0.9), "self", "value", down)


def test_what_memory_has_no_room_for_lies_in_files_until_the_store_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    levels = [0.1, 0.2, 0.3, 0.4]
    with FeatureStore(budget=450, spill=Spill(folder, 10_000)) as store:
        for number, level in enumerate(levels):
            store.put(Site(number, 0, level), "self", "value", level * ones(100))
        assert (store.nbytes, store.spilled_bytes, len(store)) == (400, 400, 4)
        assert len(list(folder.glob("*.safetensors"))) == 2
        for number, level in enumerate(levels):
            found = store.get(Site(number, 0, level), "self", "value", LIKE)
            assert torch.allclose(found, level * ones(100), atol=1e-3)
        store.put(Site(0, 0, 0.1), "self", "value", 7 * ones(100))
        assert float(store.get(Site(0, 0, 0.1), "self", "value", LIKE).max()) == 7
        assert len(store) == 4
    assert not list(folder.glob("*"))
    assert (store.nbytes, len(store)) == (0, 0)


def _fails_half_way(folder: Path) -> None:
    with FeatureStore(budget=100, spill=Spill(folder, 10_000)) as store:
        for number in range(3):
            store.put(Site(number, 0, 0.1 * number), "self", "value", ones(40))
        assert list(folder.iterdir())
        raise KeyboardInterrupt


def test_a_failed_run_leaves_no_files(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        _fails_half_way(tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_fits_nowhere_is_refused_before_and_at_the_latest_then(tmp_path: Path) -> None:
    store = FeatureStore(budget=10**6, spill=Spill(tmp_path, 10**6))
    store.require(10**6)
    with pytest.raises(ResourceError, match="takes 3 MB; 2 MB are allowed") as caught:
        store.require(3 * 10**6)
    assert caught.value.field == "frames"
    small = FeatureStore(budget=200, spill=Spill(tmp_path, 200))
    small.put(Site(0, 0, 0.1), "self", "value", ones(100))
    small.put(Site(1, 0, 0.2), "self", "value", ones(100))
    with pytest.raises(ResourceError, match="on the disk"):
        small.put(Site(2, 0, 0.3), "self", "value", ones(100))


def test_a_full_disk_is_said_before_anything_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.free_disk.free_bytes", lambda folder: 10)
    store = FeatureStore(budget=0, spill=Spill(tmp_path, 10**12))
    with pytest.raises(ResourceError, match="Keeping what the model sees takes 5 MB") as caught:
        store.require(5 * 10**6)
    assert caught.value.fix.startswith("Free some space, or choose fewer frames")
