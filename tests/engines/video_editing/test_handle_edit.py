"""A rearranged clip settles: anew where it was touched, the source elsewhere, and nothing of the pass is kept.

On tiny random checkpoints of the real classes; how well a moved thing looks then, benchmarks.editing measures.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engines.backend.attention.feature_store import Spill
from engines.backend.families.base import Family
from engines.backend.loading import load_family
from engines.errors import Cancelled, ResourceError
from engines.sampling.loop import Step, sample
from engines.sampling.solvers import Euler
from engines.video_editing.methods.clip_edit import ClipEdit, How, Words
from engines.video_editing.methods.handle_edit import along, settle
from tests.engines.tiny_models import TINY, card_for


@pytest.fixture(scope="module", params=["ltx", "wan"])
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Family:
    model, save = TINY[request.param]
    folder = save(tmp_path_factory.mktemp("model"))
    return load_family(card_for(folder, model), folder, torch.device("cpu"), torch.float32)


@pytest.fixture
def edit(family: Family) -> ClipEdit:
    geometry = family.geometry(64, 96, 9, 16)
    clean = torch.randn(1, geometry.tokens, family.channels, generator=torch.Generator().manual_seed(1))
    source, target, empty = (family.encode_prompt([text]) for text in ("a red fox", "a blue owl", ""))
    return ClipEdit(family, geometry, clean, Words(source, target, empty), How(steps=4, strength=0.6, seed=3))


def arranged(edit: ClipEdit) -> tuple[Tensor, Tensor]:
    """The clip with other tokens in its second half, and which these are."""
    touched = torch.arange(edit.geometry.tokens) >= edit.geometry.tokens // 2
    return torch.where(touched[:, None], -edit.clean, edit.clean), touched


@pytest.mark.parametrize("first_level", [0.0, 0.1])
def test_what_was_not_touched_is_the_source(edit: ClipEdit, first_level: float) -> None:
    changed, touched = arranged(edit)
    made = settle(replace(edit, how=replace(edit.how, first_level=first_level)), changed, touched).tokens
    assert (made - edit.clean)[:, ~touched].abs().max() < 1e-4
    assert (made - edit.clean)[:, touched].abs().mean() > 0.05


def test_little_noise_leaves_what_was_laid_there(edit: ClipEdit) -> None:
    changed, touched = arranged(edit)
    far = [
        float((settle(replace(edit, how=replace(edit.how, strength=strength)), changed, touched).tokens - changed)
              .abs().mean())
        for strength in (0.25, 1.0)
    ]  # fmt: skip
    assert far[0] < far[1]


def test_keys_and_values_of_what_was_not_touched_make_a_difference_and_the_same_again(edit: ClipEdit) -> None:
    changed, touched = arranged(edit)
    # On the source's own path keys of the first block are its own anyway; those behind it have seen what was touched.
    mixed, again, own = (settle(edit, changed, touched, mixing=mixing).tokens for mixing in (True, True, False))
    assert torch.equal(mixed, again)
    assert (mixed - own)[:, touched].abs().max() > 1e-6


def test_it_counts_its_calls_and_says_its_steps(edit: ClipEdit) -> None:
    changed, touched = arranged(edit)
    rising, falling = list[Step](), list[Step]()
    watched = replace(edit, going_up=rising.append, going_down=falling.append)
    made = settle(watched, changed, touched)
    assert len(falling) == len(rising) + 1, "the first step up is noise, the last one down is the model's"
    assert made.evaluations == len(rising) + 1 + 2 * len(falling), "one more at the top, and guidance asks twice"


def test_a_run_that_is_cancelled_or_too_large_leaves_nothing_behind(
    edit: ClipEdit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, touched = arranged(edit)

    def stop(step: Step) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        settle(replace(edit, going_down=stop), changed, touched, Spill(tmp_path / "kept", 2**30))
    assert not list(tmp_path.rglob("*.safetensors"))
    monkeypatch.setattr("engines.video_editing.methods.handle_edit.MEMORY_BYTES", 10)
    with pytest.raises(ResourceError):
        settle(edit, changed, touched)


@pytest.mark.parametrize("value", [True, False])
def test_a_part_must_be_touched(edit: ClipEdit, value: bool) -> None:
    with pytest.raises(ValueError, match="part"):
        settle(edit, edit.clean, torch.full((edit.geometry.tokens,), value))


def test_what_is_held_goes_along_its_path() -> None:
    sigmas = torch.tensor([1.0, 0.7, 0.2, 0.0])[:, None].expand(-1, 4)
    path = [torch.randn(1, 4, 2, generator=torch.Generator().manual_seed(row)) for row in range(4)]
    held, seen = torch.tensor([True, False, True, False]), list[Tensor]()
    velocity = along(lambda x, levels, at: torch.ones_like(x), path, sigmas, held)
    sample(velocity, path[0], sigmas, Euler(), on_step=lambda step: seen.append(step.x))
    for x, wanted in zip(seen, path[1:], strict=True):
        torch.testing.assert_close(x[:, held], wanted[:, held])
    torch.testing.assert_close(seen[-1][:, ~held], path[0][:, ~held] - 1)
