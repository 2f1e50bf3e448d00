"""A local model's revision is its weights, and nothing that stands beside them."""

from __future__ import annotations

from pathlib import Path

from engines.backend.catalogue import load_catalogue
from engines.backend.loading import weights_revision


def test_adapters_and_cards_leave_the_revision_as_it_is(tmp_path: Path) -> None:
    card = load_catalogue().card("diorama")
    (tmp_path / "transformer").mkdir()
    weights = tmp_path / "transformer" / "model.safetensors"
    weights.write_bytes(b"first")
    before = weights_revision(card, tmp_path)
    (tmp_path / "README.md").write_text("a card", encoding="utf-8")
    adapter = tmp_path / "adapters" / "one"
    adapter.mkdir(parents=True)
    (adapter / "model.safetensors").write_bytes(b"beside")
    assert weights_revision(card, tmp_path) == before
    weights.write_bytes(b"second")
    assert weights_revision(card, tmp_path) != before
