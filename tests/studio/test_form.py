"""The form comes from the schema: every field, its words, its layer."""

from __future__ import annotations

import gradio as gr
import pytest

from engines.errors import InvalidRequest
from engines.text_to_video.request import TextToVideoRequest
from studio.error_messages import error_updates
from studio.form import LAYERS, Form, label_of, make_component


@pytest.fixture
def form() -> Form:
    with gr.Blocks():
        made = Form(TextToVideoRequest, {"takes": [("1", 1), ("4", 4)], "model": [("Diorama", "diorama")]})
        for layer in LAYERS:
            made.add_rest_of(layer)
    return made


def test_every_field_of_the_request_gets_a_component_with_label_help_and_default(form: Form) -> None:
    assert set(form.names) == set(TextToVideoRequest.model_fields)
    for name, field in TextToVideoRequest.model_fields.items():
        component = form.components[name]
        assert component.label == label_of(name)
        assert component.info == field.description
        if not field.is_required():
            assert component.value == field.default


def test_short_ranges_become_sliders_with_the_limits_of_the_schema(form: Form) -> None:
    steps = form.components["steps"]
    assert isinstance(steps, gr.Slider)
    assert (steps.minimum, steps.maximum, steps.step) == (1, 200, 1)
    assert isinstance(form.components["seed"], gr.Number)


def test_number_fields_leave_the_judgement_to_the_request(form: Form) -> None:
    assert form.components["frames"].preprocess(1_000_000) == 1_000_000


def test_literals_become_menus_of_their_values(form: Form) -> None:
    assert [value for _, value in form.components["solver"].choices] == ["euler", "midpoint", "heun"]


def test_a_field_without_a_known_layer_stands_under_advanced() -> None:
    with gr.Blocks():
        checkbox = make_component("loop", {"type": "boolean", "default": True, "description": "Runs round."}, "x")
    assert isinstance(checkbox, gr.Checkbox)
    assert checkbox.value is True


def test_values_come_back_under_the_names_of_their_fields(form: Form) -> None:
    values = form.values([form.defaults()[name] for name in form.names])
    assert values == form.defaults()


def test_an_error_stands_beside_its_field_and_goes_away_again(form: Form) -> None:
    error = InvalidRequest("frames = 0 is not allowed.", "Choose frames between 1 and 2401.", field="frames")
    shown = error_updates(form, error)
    beside = shown[form.components["frames"]]
    assert beside["info"] == "frames = 0 is not allowed. Choose frames between 1 and 2401."
    assert "invalid" in beside["elem_classes"]
    assert "invalid" not in shown[form.components["width"]]["elem_classes"]
    assert shown[form.has_error] is True

    cleared = form.without_errors()
    assert cleared[form.components["frames"]]["info"] == TextToVideoRequest.model_fields["frames"].description
    assert cleared[form.has_error] is False


def test_filling_gives_missing_fields_their_default_and_adds_values_that_a_menu_lacks(form: Form) -> None:
    updates = form.filled({"prompt": "a fox", "takes": 3, "unknown": 1})
    assert updates[form.components["prompt"]]["value"] == "a fox"
    assert updates[form.components["steps"]]["value"] == 20
    assert ("3", 3) in updates[form.components["takes"]]["choices"]


def test_changing_some_fields_leaves_the_values_of_the_others_alone(form: Form) -> None:
    updates = form.changed({"frames": 1})
    assert updates[form.components["frames"]]["value"] == 1
    assert "value" not in updates[form.components["prompt"]]
    assert updates[form.has_error] is False


def test_menus_offer_values_that_they_lack_without_choosing_them(form: Form) -> None:
    updates = form.offered({"takes": 3, "steps": 7, "model": "diorama"})
    assert list(updates) == [form.components["takes"]]
    assert ("3", 3) in updates[form.components["takes"]]["choices"]
    assert "value" not in updates[form.components["takes"]]
