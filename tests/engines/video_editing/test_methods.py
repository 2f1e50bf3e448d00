"""Ways to edit, on tiny random checkpoints of the real classes: they ask and keep what they say, and clean up.

That an edit shows what was asked is measured on the bundled model (test_engine.py, benchmarks.editing).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engines.backend.attention.feature_store import Spill
from engines.backend.families.base import Family
from engines.backend.loading import load_family
from engines.errors import Cancelled
from engines.inversion.solvers import InversionSolver
from engines.sampling.loop import Step
from engines.video_editing.methods.clip_edit import ClipEdit, Edited, Held, How, Words
from engines.video_editing.methods.controlled import draw_to_source
from engines.video_editing.methods.differences import move_by_difference, weigh_difference
from engines.video_editing.methods.noising import noise_and_sample
from engines.video_editing.methods.value_sharing import share_values
from tests.engines.tiny_models import TINY, card_for

METHODS: dict[str, Callable[[ClipEdit], Edited]] = {
    "noising": noise_and_sample, "sharing": share_values, "difference": move_by_difference,
    "sharing alone": lambda edit: share_values(replace(edit, how=replace(edit.how, hold=0.0))),
    "weighed": weigh_difference, "drawn": draw_to_source,
}  # fmt: skip


@pytest.fixture(scope="module", params=["ltx", "wan", "cogvideox"])
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Family:
    model, save = TINY[request.param]
    folder = save(tmp_path_factory.mktemp("model"))
    return load_family(card_for(folder, model), folder, torch.device("cpu"), torch.float32)


def an_edit(
    family: Family, how: How, same_words: bool = False, on_step: Callable[[Step], None] | None = None
) -> ClipEdit:
    geometry = family.geometry(64, 96, 9, 16)
    clean = torch.randn(1, geometry.tokens, family.channels, generator=torch.Generator().manual_seed(1))
    source, target, empty = (family.encode_prompt([text]) for text in ("a red fox", "a blue owl", ""))
    words = Words(source, source if same_words else target, empty)
    return ClipEdit(family, geometry, clean, words, how, going_up=on_step, going_down=on_step)


@pytest.mark.parametrize("name", METHODS)
def test_what_is_held_stands_still_and_the_rest_goes_on_from_it(family: Family, name: str) -> None:
    edit = an_edit(family, How(steps=3, guidance_scale=2.0, shared_steps=1))
    tokens = torch.zeros(edit.geometry.tokens, dtype=torch.bool)
    tokens[: edit.geometry.tokens // 3] = True
    first, second = (
        METHODS[name](replace(edit, held=Held(tokens, torch.full_like(edit.clean, value)))).tokens
        for value in (0.5, -2.0)
    )
    assert (first[:, tokens] == 0.5).all()
    assert (second[:, tokens] == -2.0).all()
    assert (first[:, ~tokens] - second[:, ~tokens]).abs().max() > 1e-6


@pytest.mark.parametrize("name", METHODS)
def test_every_method_moves_the_clip_and_gives_the_same_again(family: Family, name: str) -> None:
    edit = an_edit(family, How(steps=4, guidance_scale=3.0, shared_steps=2))
    made, again = (METHODS[name](edit) for _ in range(2))
    assert made.tokens.shape == edit.clean.shape
    assert torch.isfinite(made.tokens).all()
    assert (made.tokens - edit.clean).abs().mean() > 1e-4
    assert torch.equal(made.tokens, again.tokens)
    assert made.evaluations == again.evaluations > 0


def one_tensor(edit: ClipEdit) -> int:
    """Bytes of a layer's values in half precision, at most: memory for one and no more."""
    config = edit.family.transformer.config
    return 2 * edit.geometry.tokens * int(config.num_attention_heads * config.attention_head_dim) + 2000


def _evaluations(name: str, family: Family, how: How) -> int:
    made: Edited = METHODS[name](an_edit(family, how))
    return made.evaluations


def test_evaluations_are_counted_guidance_included(family: Family) -> None:
    how = How(steps=4, guidance_scale=3.0, solver="euler", first_level=0.0, shared_steps=2)
    assert _evaluations("noising", family, how) == 8
    assert _evaluations("noising", family, How(steps=4, strength=0.5, guidance_scale=1.0)) == 2
    assert _evaluations("sharing", family, how) == 4 + 1 + 2 + 12, (
        "one more at the top, for what is asked first there, two of the target at levels that tell"
    )
    assert _evaluations("sharing alone", family, how) == 4 + 1 + 8
    assert _evaluations("difference", family, how) == 8 + 8
    assert _evaluations("weighed", family, how) == 5 + 4 + 4
    assert _evaluations("drawn", family, how) == 4 + 8


def test_with_the_same_words_and_no_guidance_an_inverted_clip_comes_back(family: Family) -> None:
    how = How(steps=8, guidance_scale=1.0, solver="reversible_leapfrog", first_level=0.0, shared_steps=0)
    edit = an_edit(family, how, same_words=True)
    made = share_values(edit)
    assert (made.tokens - edit.clean).abs().max() < 1e-3
    free = replace(how, solver="rf_solver", hold=0.0)
    shared = share_values(an_edit(family, replace(free, shared_steps=8), same_words=True))
    plain = share_values(an_edit(family, free, same_words=True))
    error, without = ((one.tokens - edit.clean).square().mean() for one in (shared, plain))
    assert error <= without * 1.1
    held = share_values(an_edit(family, replace(free, hold=1.0), same_words=True))
    assert (held.tokens - edit.clean).abs().max() < 1e-4


@pytest.mark.parametrize("solver", ["euler", "rf_solver", "fireflow", "uni_inv", "fixed_point", "reversible_leapfrog"])
def test_what_both_prompts_agree_on_stays_by_every_solver(family: Family, solver: InversionSolver) -> None:
    """Random weights lead a round trip astray; where the words are the same, all is held."""
    how = How(steps=8, guidance_scale=3.0, solver=solver, shared_steps=0)
    made = share_values(an_edit(family, how, same_words=True))
    clean = an_edit(family, how).clean
    if solver != "reversible_leapfrog":
        assert (made.tokens - clean).square().mean() < 0.01 * clean.square().mean()
    assert torch.isfinite(made.tokens).all()


def test_flow_edit_of_the_same_words_does_nothing(family: Family) -> None:
    edit = an_edit(family, How(steps=4, guidance_scale=1.5), same_words=True)
    assert torch.allclose(move_by_difference(edit).tokens, edit.clean, atol=1e-5)


def test_what_was_kept_is_gone_when_an_edit_is_cancelled(
    family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    files: list[int] = []

    def cancelled(step: Step) -> None:
        asked.append(step.interval)
        files.append(len(list(tmp_path.rglob("*.safetensors"))))
        if len(asked) == 7:
            raise Cancelled("The job was cancelled.")

    edit = an_edit(family, How(steps=5, shared_steps=5), on_step=cancelled)
    monkeypatch.setattr("engines.video_editing.methods.value_sharing.MEMORY_BYTES", one_tensor(edit))
    with pytest.raises(Cancelled):
        share_values(edit, Spill(tmp_path / "kept", 10**9))
    assert max(files) > 0
    assert not list(tmp_path.rglob("*.safetensors"))


def test_what_memory_cannot_hold_makes_no_difference(
    family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit = an_edit(family, How(steps=4, shared_steps=3))
    plain = share_values(edit)
    monkeypatch.setattr("engines.video_editing.methods.value_sharing.MEMORY_BYTES", one_tensor(edit))
    spilled = share_values(edit, Spill(tmp_path / "kept", 10**9))
    assert torch.equal(plain.tokens, spilled.tokens)
