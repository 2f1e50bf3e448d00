"""Files are recognised by what is in them; tiles are the whole."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engines.errors import InvalidRequest
from engines.super_resolution.convert import FOLDER, NcnnNumbers, fill
from engines.super_resolution.networks import CompactNetwork, LargeNetwork
from engines.super_resolution.tiles import enlarge
from engines.super_resolution.weights import load_network


@pytest.mark.parametrize(
    "network",
    [
        CompactNetwork(16, 3, 2),
        CompactNetwork(8, 2, 4),
        LargeNetwork(16, 2, 8, 4),
        LargeNetwork(16, 1, 8, 2),
        LargeNetwork(8, 1, 4, 1),
    ],
    ids=["compact x2", "compact x4", "large x4", "large x2", "large x1"],
)
def test_an_architecture_is_known_by_names_and_shapes(network: CompactNetwork | LargeNetwork, tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    save_file({f"params_ema.{name}": value for name, value in network.state_dict().items()}, path)
    found = load_network(path)
    assert type(found) is type(network)
    assert found.scale == network.scale
    frame = torch.rand(1, 3, 22, 27)
    with torch.no_grad():
        torch.testing.assert_close(found(frame), network(frame))
        assert found(frame).shape == (1, 3, 22 * network.scale, 27 * network.scale)


def test_what_is_no_such_network_is_refused_with_what_is_taken(tmp_path: Path) -> None:
    other, text, pickled = (tmp_path / name for name in ("other.safetensors", "text.safetensors", "model.pth"))
    save_file({"conv.weight": torch.zeros(3, 3)}, other)
    text.write_text("not a model", encoding="utf-8")
    pickled.write_bytes(pickle.dumps({}))
    for path in (other, text, pickled, tmp_path / "missing.safetensors"):
        with pytest.raises(InvalidRequest) as raised:
            load_network(path, "weights")
        assert raised.value.field == "weights"
        assert "RRDBNet" in raised.value.fix


def test_a_network_cut_short_is_refused(tmp_path: Path) -> None:
    state = LargeNetwork(16, 2, 8).state_dict()
    del state["body.1.rdb2.conv3.weight"]
    save_file(state, tmp_path / "cut.safetensors")
    with pytest.raises(InvalidRequest, match="conv3"):
        load_network(tmp_path / "cut.safetensors")


def test_a_network_of_nan_is_refused(tmp_path: Path) -> None:
    state = CompactNetwork(8, 2, 2).state_dict()
    state["body.0.bias"][0] = torch.nan
    save_file(state, tmp_path / "nan.safetensors")
    with pytest.raises(InvalidRequest, match="not finite"):
        load_network(tmp_path / "nan.safetensors")


@pytest.mark.parametrize("size", [(40, 61), (64, 64), (33, 150)])
def test_tiles_give_the_whole(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network = CompactNetwork(8, 4, 4).requires_grad_(False)
    frame = torch.rand(1, 3, *size)
    tiled = enlarge(network, frame, tile=30)
    torch.testing.assert_close(tiled, network(frame), atol=1e-5, rtol=0)


def test_the_published_compact_network_draws_sharper_edges() -> None:
    network = load_network(FOLDER / "animevideov3.safetensors")
    frame = torch.zeros(1, 3, 24, 24)
    frame[..., 12:] = 1
    made = enlarge(network, frame)
    assert made.shape == (1, 3, 96, 96)
    row = made[0, 0, 48]
    assert row[:40].abs().max() < 0.1
    assert (row[56:] - 1).abs().max() < 0.1
    assert (row.diff() > 0.2).sum() <= 3, "the edge is a few pixels wide after four times enlarging"


def test_published_numbers_are_read_layer_by_layer() -> None:
    network = CompactNetwork(4, 1, 2)
    whole, wanted = bytearray(), network.state_dict()
    for value in wanted.values():
        if value.dim() == 4:
            halves = value.half().numpy().tobytes()
            whole += (0x01306B47).to_bytes(4, "little") + halves + b"\0" * (-len(halves) % 4)
        else:
            whole += value.numpy().tobytes()
    found = fill(network, NcnnNumbers(bytes(whole)))
    for name, value in wanted.items():
        torch.testing.assert_close(found[name].float(), value, atol=1e-3, rtol=1e-3)
    with pytest.raises(ValueError, match="more numbers"):
        fill(network, NcnnNumbers(bytes(whole) + b"1234"))
