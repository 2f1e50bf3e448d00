"""Models that are not here: what their jobs would need is known all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engines.backend.catalogue import load_catalogue
from engines.backend.memory.__main__ import report, run
from engines.backend.memory.blueprints import BLUEPRINTS, known_parts
from engines.errors import LimitExceeded, UserError

HUB = [card.id for card in load_catalogue(own=Path("/nowhere")).values() if card.source.kind == "hub"]
# Values of the transformers as they are published.
PUBLISHED = {"ltx_video": 1.92e9, "wan_2_1": 1.42e9, "cogvideox_2b": 1.69e9, "hunyuan_video_1_5": 8.33e9}


@pytest.fixture(autouse=True)
def _no_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))


@pytest.mark.parametrize("model", HUB)
def test_every_model_of_the_hub_has_a_blueprint_of_its_size(model: str) -> None:
    card = load_catalogue()[model]
    folder, weights = known_parts(card)
    assert folder == BLUEPRINTS / (card.base or model)
    assert weights.of("transformer") == pytest.approx(PUBLISHED[card.base or model], rel=0.01)
    assert len(weights.parts["transformer"].blocks) >= 28


def test_a_budget_decides_whether_and_how(monkeypatch: pytest.MonkeyPatch) -> None:
    card = load_catalogue()["ltx_video"]
    told = {}
    for gigabytes in ("80", "12", "1"):
        monkeypatch.setenv("FRAMEWRIGHT_MEMORY_GB", gigabytes)
        told[gigabytes] = report(card, 704, 480, 121)
    assert "everything stays on the device" in " ".join(told["80"]["sentences"])
    assert told["12"]["fits"]
    assert "everything stays" not in " ".join(told["12"]["sentences"])
    assert not told["1"]["fits"]
    assert any("text encoder" in sentence for sentence in told["1"]["sentences"]), "and why"


def test_the_command_says_the_same_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    run(["diorama", "--frames", "17", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["fits"]
    assert "96 × 96, 17 frames" in told["sentences"][0]


def test_a_size_that_is_too_large_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        report(load_catalogue()["diorama"], 1920, 1920, 257)
    with pytest.raises(UserError, match="no model"):
        run(["nothing_of_that_name"])
