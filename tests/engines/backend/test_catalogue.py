"""Every committed model card, and what happens with a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.backend.catalogue import PRESETS, Catalogue, Feature, HubSource, load_card, load_catalogue
from engines.backend.geometry import plan_geometry
from engines.errors import InvalidRequest

CARDS = sorted(PRESETS.glob("*.yaml"))


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_each_card_is_valid_and_its_defaults_can_be_rendered(path: Path) -> None:
    card = load_card(path)
    assert card.description.endswith(".")
    assert card.licence
    assert card.licence_url.startswith("https://")
    wanted = card.defaults
    geometry = plan_geometry(card, wanted.height, wanted.width, wanted.frames, wanted.fps)
    assert geometry.warnings == (), "defaults need no rounding and were trained"
    for size in card.trained_sizes:
        assert plan_geometry(card, size.height, size.width, wanted.frames, wanted.fps).warnings == ()


def test_the_bundled_model_comes_first_and_ltx_video_is_a_hub_entry() -> None:
    catalogue = load_catalogue()
    assert next(iter(catalogue)) == "diorama"
    assert Feature.TOKEN_TIMESTEPS in catalogue["diorama"].features
    source = catalogue["ltx_video"].source
    assert isinstance(source, HubSource)
    assert source.repo == "Lightricks/LTX-Video"


def test_an_unknown_model_names_those_there_are() -> None:
    with pytest.raises(InvalidRequest) as caught:
        load_catalogue().card("sora")
    assert caught.value.field == "model"
    assert caught.value.fix == f"Choose one of: {', '.join(load_catalogue())}."


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("family: ltx", "family: pixart"), "family"),
        (("rope_theta: 128", "rope_thta: 128"), "rope_thta"),
        (("description: >-", "about: >-"), "description"),
        (("id: diorama", "id: other"), "the file's name says 'diorama'"),
        (("  kind: bundled", "  kind: ftp"), "source"),
    ],
)
def test_a_wrong_card_names_file_and_field(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    text = (PRESETS / "diorama.yaml").read_text(encoding="utf-8")
    assert change[0] in text
    path = tmp_path / "diorama.yaml"
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(ValueError, match=r"diorama\.yaml") as caught:
        load_card(path)
    assert named in str(caught.value)


def test_two_cards_of_one_id_are_refused() -> None:
    card = load_catalogue()["diorama"]
    with pytest.raises(ValueError, match="share an id"):
        Catalogue([card, card])
