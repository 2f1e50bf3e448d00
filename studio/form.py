"""A Request's JSON schema → Gradio components in four layers; labels and help come from the schema alone.

Number fields carry no range of their own, because Gradio would answer a wrong value with a toast: the Request judges
it, so that the page, the API and the command line say the same words, beside the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from engines.task import Request
from studio.events import BESIDE_THE_QUEUE
from studio.theme import STATIC
from studio.uploads import lines_of

if TYPE_CHECKING:
    from studio.uploaded_field import UploadedField

LAYERS = ("main", "look", "quality", "advanced")
SLIDER_SPAN = 200
SPELLED_OUT = {
    "fps": "frames per second", "crf": "CRF", "start": "begins at, seconds", "end": "ends at, seconds",
    "rate": "frame rate",
}  # fmt: skip
DICE = STATIC / "dice.svg"
Component = Any
Choices = Sequence[tuple[str, Any]]


def label_of(name: str) -> str:
    """ "guidance_scale" → "Guidance scale"."""
    words = name.replace("_", " ")
    words = SPELLED_OUT.get(words, words)
    return words[:1].upper() + words[1:]


def layer_of(schema: Mapping[str, Any]) -> str:
    """Layer of a field; what the schema does not place belongs to "advanced"."""
    layer = schema.get("layer", "advanced")
    return layer if layer in LAYERS else "advanced"


def type_of(schema: Mapping[str, Any]) -> str | None:
    """The JSON type of a field; of one that may be left empty, its type when it is not."""
    return next((one["type"] for one in [schema, *schema.get("anyOf", [])] if one.get("type", "null") != "null"), None)


def make_component(
    name: str,
    schema: Mapping[str, Any],
    task: str,
    choices: Choices | None = None,
    buttons: Sequence[gr.Button] = (),
) -> Component:
    """One component for one field.

    Args:
        name: The field.
        schema: Its JSON schema: type, enum, minimum, maximum, multipleOf, default, description.
        task: Prefix of the element id, `{task}-{name}`.
        choices: (label, value) pairs for a field whose values are known only at run time or offered as a few.
        buttons: Stand in the corner of a number field.
    """
    common: dict[str, Any] = {
        "label": label_of(name),
        "info": schema.get("description", ""),
        "value": schema.get("default"),
        "elem_id": f"{task}-{name}",
        "elem_classes": ["field", name],
        "interactive": True,
        "min_width": 120,
    }
    if choices is not None or "enum" in schema:
        pairs = list(choices) if choices is not None else [(value.replace("_", " "), value) for value in schema["enum"]]
        short = len(pairs) <= 4 and all(len(text) <= 5 for text, _ in pairs)
        return (gr.Radio if short else gr.Dropdown)(choices=pairs, **common)
    kind = type_of(schema)
    if kind == "boolean":
        return gr.Checkbox(**common)
    if kind in ("integer", "number"):
        return _number(schema, common, buttons, whole=kind == "integer")
    lines = 3 if name == "prompt" else 2
    return gr.Textbox(lines=lines, max_lines=8, max_length=schema.get("maxLength"), **common)


def _number(
    schema: Mapping[str, Any], common: Mapping[str, Any], buttons: Sequence[gr.Button], whole: bool
) -> Component:
    low, high = schema.get("minimum"), schema.get("maximum")
    step = schema.get("multipleOf") or (1 if whole else 0.05)
    if low is not None and high is not None and high - low <= SLIDER_SPAN:
        return gr.Slider(minimum=low, maximum=high, step=step, **common)
    return gr.Number(step=step, precision=0 if whole else None, buttons=list(buttons) or None, **common)


class Form:
    """The components of one Request, made layer by layer while the page is laid out.

    Args:
        request_class: The schema.
        choices: Field → (label, value) pairs, for fields whose values the schema does not list.
    """

    def __init__(self, request_class: type[Request], choices: Mapping[str, Choices] | None = None) -> None:
        self.request_class = request_class
        self.task = request_class.task
        self.schema: dict[str, dict[str, Any]] = request_class.model_json_schema()["properties"]
        self.choices = dict(choices or {})
        self.components: dict[str, Component] = {}
        self.has_error = gr.State(False)
        self.dice: dict[str, gr.Button] = {}
        self.files: dict[str, UploadedField] = {}

    def adopt(self, name: str, component: Component) -> None:
        """Takes a component that stands elsewhere on the page as the one for this field."""
        self.components[name] = component

    def adopt_file(self, field: UploadedField) -> None:
        """Takes the components of a field that holds a file, made in the current layout block."""
        self.files[field.name] = field
        self.components[field.name] = field.value

    @property
    def file_names(self) -> dict[str, str]:
        """Fields of the request that hold a file → "video", "image", "weights" or "audio"."""
        return {name: schema["input"] for name, schema in self.schema.items() if schema.get("input")}

    def takes_several(self, name: str) -> bool:
        """Whether a file field of the request holds a list."""
        return type_of(self.schema[name]) == "array"

    def add(self, *names: str) -> list[Component]:
        """Makes the components of these fields here, in the current layout block."""
        for name in names:
            schema = self.schema[name]
            if schema.get("widget") == "seed":
                self.dice[name] = gr.Button("Roll", icon=DICE, size="sm", elem_id=f"{self.task}-{name}-dice")
            buttons = [self.dice[name]] if name in self.dice else []
            self.components[name] = make_component(name, schema, self.task, self.choices.get(name), buttons)
        return [self.components[name] for name in names]

    def add_rest_of(self, layer: str) -> list[Component]:
        """Makes every field of the layer that is not on the page yet."""
        return self.add(*self.rest_of(layer))

    def rest_of(self, layer: str) -> list[str]:
        """Fields of the layer that are not on the page yet; files have components of their own."""
        rest = [name for name in self.schema if name not in self.components and name not in self.file_names]
        return [name for name in rest if layer_of(self.schema[name]) == layer]

    @property
    def names(self) -> list[str]:
        """Field names in the order of `inputs`."""
        return list(self.components)

    @property
    def inputs(self) -> list[Component]:
        return list(self.components.values())

    @property
    def outputs(self) -> list[Component]:
        """What the updates of this class may change."""
        return [*self.inputs, *(field.message for field in self.files.values()), self.has_error]

    def values(self, given: Sequence[Any]) -> dict[str, Any]:
        """Plain data of the request from the components' values, which come in the order of `inputs`."""
        return dict(zip(self.names, given, strict=True))

    def defaults(self) -> dict[str, Any]:
        """What the schema says; a field that holds no file is an empty text."""
        return {name: "" if name in self.files else self.schema[name].get("default", "") for name in self.components}

    def filled(self, values: Mapping[str, Any]) -> dict[Component, Any]:
        """Updates that put these values into the form, free of errors; fields that are missing get their default."""
        complete = self.defaults() | {name: value for name, value in values.items() if name in self.components}
        updates = {self.components[name]: self._update(name, value) for name, value in complete.items()}
        for field in self.files.values():
            updates |= field.error("")
        return {**updates, self.has_error: False}

    def changed(self, values: Mapping[str, Any]) -> dict[Component, Any]:
        """Updates that put these values into their fields and leave the others' values alone; errors go away."""
        updates = {self.components[name]: self._update(name, value) for name, value in values.items()}
        return {**self.without_errors(), **updates}

    def offered(self, values: Mapping[str, Any]) -> dict[Component, Any]:
        """Updates that make menus list these values; no value is set."""
        return {
            self.components[name]: gr.update(**self._listing(name, value))
            for name, value in values.items()
            if name in self.components and self._listing(name, value)
        }

    def with_error(self, name: str, message: str) -> dict[Component, Any]:
        """Updates that show a message beside one field and beside no other."""
        if name in self.files:
            return {**self.without_errors(), **self.files[name].error(message), self.has_error: True}
        invalid = gr.update(info=message, elem_classes=[*self._classes(name), "invalid"])
        return {**self.without_errors(), self.components[name]: invalid, self.has_error: True}

    def without_errors(self) -> dict[Component, Any]:
        """Updates that give every field its help line back."""
        updates = {component: self._update(name) for name, component in self.components.items()}
        for field in self.files.values():
            updates |= field.error("")
        return {**updates, self.has_error: False}

    def _classes(self, name: str) -> list[str]:
        return ["field", name]

    def _update(self, name: str, *value: Any) -> Any:
        changes: dict[str, Any] = {
            "info": self.schema[name].get("description", ""),
            "elem_classes": self._classes(name),
        }
        if value:
            is_list = name in self.files and isinstance(value[0], list | tuple)
            changes["value"] = lines_of(value[0]) if is_list else value[0]
            changes |= self._listing(name, value[0])
        return gr.update(**changes)

    def _listing(self, name: str, value: Any) -> dict[str, Any]:
        """The choices of a menu with a value that it lacks; {} if it has it or is no such menu."""
        listed = self.choices.get(name)
        if listed is None or value in [known for _, known in listed]:
            return {}
        return {"choices": [*listed, (str(value), value)]}

    def on_edit(self, handler: Callable[..., Any], before: Sequence[Component], outputs: Sequence[Component]) -> None:
        """Calls `handler(*before, *values)` after a person changed any field; of quick edits the last one counts.

        Text fields are followed by `change`, because the `input` event of Gradio 6.31's Textbox comes with key presses
        only, not with pasting, deleting or a chip.
        """
        gr.on(
            [one.change if isinstance(one, gr.Textbox) else one.input for one in self.components.values()],
            handler,
            [*before, *self.inputs],
            list(outputs),
            trigger_mode="always_last",
            **BESIDE_THE_QUEUE,
        )
