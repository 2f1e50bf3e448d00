"""The menus offer what the chosen model was trained for, and nothing that it was not."""

from __future__ import annotations

import gradio as gr
import pytest

from engines.backend.catalogue import load_catalogue
from studio.model_menus import CUSTOM, ModelMenu, length_entries, size_entries


@pytest.fixture
def length() -> ModelMenu:
    with gr.Blocks():
        return ModelMenu("Length", "", "x-length", ("frames",), length_entries, "diorama")


def test_entries_come_from_the_card_and_need_no_warning() -> None:
    card = load_catalogue()["diorama"]
    sizes, lengths = size_entries(card), length_entries(card)
    assert sizes["Square, 96 × 96"] == (96, 96)
    assert list(lengths.items()) == [
        ("Film, 10 seconds", (241,)), ("Film, 3 seconds", (73,)),
        ("Clip, 25 frames", (25,)), ("Clip, 17 frames", (17,)), ("Clip, 9 frames", (9,)), ("Picture, 1 frame", (1,))
    ]  # fmt: skip
    assert set(sizes.values()) == {(size.width, size.height) for size in card.trained_sizes}


def test_a_model_without_trained_sizes_offers_its_defaults() -> None:
    card = load_catalogue()["ltx_video"]
    assert size_entries(card) == {"Wide, 704 × 480": (704, 480)}
    assert length_entries(card) == {"Film, 10 seconds": (249,), "Film, 3 seconds": (73,), "Clip, 121 frames": (121,)}


def test_the_menu_shows_what_the_fields_hold(length: ModelMenu) -> None:
    assert length.component.value == "Clip, 17 frames"
    assert length.update({"model": "diorama", "frames": 1})[length.component]["value"] == "Picture, 1 frame"
    assert length.update({"model": "diorama", "frames": 13})[length.component]["value"] == CUSTOM
    other = length.update({"model": "ltx_video", "frames": 121}, offer=True)[length.component]
    films = ["Film, 10 seconds", "Film, 3 seconds"]
    assert (other["value"], other["choices"]) == ("Clip, 121 frames", [*films, "Clip, 121 frames", CUSTOM])
    unknown = length.update({"model": "gone", "frames": 17}, offer=True)[length.component]
    assert (unknown["value"], unknown["choices"]) == (CUSTOM, [CUSTOM])


def test_an_entry_sets_its_fields_and_custom_sets_none(length: ModelMenu) -> None:
    assert length.chosen("Picture, 1 frame", "diorama") == {"frames": 1}
    assert length.chosen(CUSTOM, "diorama") == {}
