"""Sizes and lengths that the chosen model was trained for, as menus; "Custom" stands for everything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from engines.backend.catalogue import ModelCard
from studio.prompt_advice import catalogue

CUSTOM = "Custom"
FILM_SECONDS = (10, 3)
Entries = dict[str, tuple[int, ...]]


def size_entries(card: ModelCard | None) -> Entries:
    """Entry → (width, height) in pixels. A model that takes any size offers the one that it starts with."""
    if card is None:
        return {}
    sizes = [(size.width, size.height) for size in card.trained_sizes]
    return {_size_name(*size): size for size in sizes or [(card.defaults.width, card.defaults.height)]}


def length_entries(card: ModelCard | None) -> Entries:
    """Entry → (frames,), films first. A model that takes any length offers the one that it starts with."""
    if card is None:
        return {}
    lengths = sorted(card.trained_frames, reverse=True) or [card.defaults.frames]
    slot = card.facts.temporal_compression
    films: Entries = {
        f"Film, {seconds} seconds": (seconds * card.defaults.fps // slot * slot + 1,) for seconds in FILM_SECONDS
    }
    return films | {"Picture, 1 frame" if frames == 1 else f"Clip, {frames} frames": (frames,) for frames in lengths}


def _size_name(width: int, height: int) -> str:
    shape = "Square" if width == height else "Wide" if width > height else "Tall"
    return f"{shape}, {width} × {height}"


class ModelMenu:
    """A menu that sets fields which stand under Advanced.

    Args:
        label, info, elem_id: Of the component.
        fields: Names of the request's fields that an entry sets.
        entries: Card → entries with the values of these fields.
        model: The model that the page starts with.
    """

    def __init__(
        self,
        label: str,
        info: str,
        elem_id: str,
        fields: tuple[str, ...],
        entries: Callable[[ModelCard | None], Entries],
        model: str,
    ) -> None:
        self.fields = fields
        self._entries = entries
        offered, card = [*self.entries(model), CUSTOM], catalogue().get(model)
        chosen = self._entry(model, card.defaults.model_dump() if card else {})
        self.component: Any = gr.Dropdown(
            offered, value=chosen, label=label, info=info, elem_id=elem_id, min_width=120, elem_classes=["field"]
        )

    def entries(self, model: Any) -> Entries:
        return self._entries(catalogue().get(str(model)))

    def update(self, values: Mapping[str, Any], offer: bool = False) -> dict[Any, Any]:
        """The entry that stands for these values. offer: also list what the model of these values was trained for."""
        entries, entry = self.entries(values.get("model")), self._entry(values.get("model"), values)
        return {self.component: gr.update(value=entry, **({"choices": [*entries, CUSTOM]} if offer else {}))}

    def _entry(self, model: Any, values: Mapping[str, Any]) -> str:
        wanted = tuple(values.get(field) for field in self.fields)
        return next((name for name, one in self.entries(model).items() if one == wanted), CUSTOM)

    def chosen(self, entry: str, model: Any) -> dict[str, int]:
        """Field → value of an entry; {} for "Custom"."""
        return dict(zip(self.fields, self.entries(model).get(entry, ()), strict=False))
