"""The control branch: it changes nothing before it has learnt something, and what it adds is where it was put."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engines.backend.families.base import Family
from engines.backend.loading import load_family
from engines.conditioning.control.branch import KINDS, ControlBranch, controlled, kind_index
from engines.conditioning.control.shuffle_mixer import ShuffleMixer
from engines.sampling.site import Site
from tests.engines.tiny_models import TINY, card_for

ARMS = {"full": None, "light": (2,)}


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Family:
    model, save = TINY["ltx"]
    folder = save(tmp_path_factory.mktemp("model"))
    return load_family(card_for(folder, model), folder, torch.device("cpu"), torch.float32)


def a_branch(family: Family, arm: str) -> ControlBranch:
    torch.manual_seed(0)
    groups = ARMS[arm]
    return ControlBranch.beside(family.transformer, layers=None if groups is None else (1,), groups=groups).eval()


def velocity(family: Family) -> torch.Tensor:
    geometry = family.geometry(64, 96, 9, 16)
    x = torch.randn(1, geometry.tokens, family.channels, generator=torch.Generator().manual_seed(3))
    tokens = family.pack(family.unpack(x, geometry), geometry)
    return family.velocity(
        tokens, torch.full((1, geometry.tokens), 0.6), family.encode_prompt(["a fox"]), Site(0, 0, 0.6)
    )


def condition_for(family: Family, seed: int = 4) -> torch.Tensor:
    tokens = family.geometry(64, 96, 9, 16).tokens
    return torch.randn(1, tokens, family.channels, generator=torch.Generator().manual_seed(seed))


def taught(branch: ControlBranch) -> ControlBranch:
    """As if it had learnt something."""
    torch.manual_seed(1)
    for projection in (*branch.into, *branch.out, branch.kind):
        for parameter in projection.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    return branch


@pytest.mark.parametrize("arm", ARMS)
def test_an_untrained_branch_changes_nothing(family: Family, arm: str) -> None:
    before = velocity(family)
    with controlled(family.transformer, a_branch(family, arm), condition_for(family), 0):
        assert torch.equal(velocity(family), before)


@pytest.mark.parametrize("arm", ARMS)
def test_what_it_learnt_depends_on_condition_kind_and_scale(family: Family, arm: str) -> None:
    branch, before = taught(a_branch(family, arm)), velocity(family)
    made = {}
    for name, (seed, kind, scale) in {
        "one": (4, 0, 1.0), "again": (4, 0, 1.0), "other": (5, 0, 1.0), "kind": (4, 1, 1.0), "off": (4, 0, 0.0),
    }.items():  # fmt: skip
        with controlled(family.transformer, branch, condition_for(family, seed), kind, scale):
            made[name] = velocity(family)
    assert torch.equal(made["one"], made["again"])
    assert torch.allclose(made["off"], before, atol=1e-6)
    for name in ("other", "kind", "off"):
        assert not torch.allclose(made["one"], made[name], atol=1e-5)
    assert torch.equal(velocity(family), before), "hooks stayed behind"


def test_a_layer_that_is_left_out_adds_nothing(family: Family) -> None:
    branch, before = taught(a_branch(family, "light")), velocity(family)
    with controlled(family.transformer, branch, condition_for(family), 0, without=(1,)):
        assert torch.equal(velocity(family), before)


def test_the_full_branch_begins_as_a_copy_and_the_light_one_is_small(family: Family) -> None:
    full, light = a_branch(family, "full"), a_branch(family, "light")
    for side, block in zip(full.sides, family.transformer.transformer_blocks, strict=True):
        assert all(torch.equal(side.state_dict()[name], value) for name, value in block.state_dict().items())
    assert torch.equal(full.entry.weight, family.transformer.proj_in.weight)
    sizes = [sum(parameter.numel() for parameter in branch.parameters()) for branch in (full, light)]
    assert sizes[1] < 0.4 * sizes[0]


def test_gradients_reach_the_branch_and_not_the_transformer(family: Family) -> None:
    branch = taught(a_branch(family, "light")).train()
    geometry = family.geometry(64, 96, 9, 16)
    said = family.encode_prompt(["a fox"])
    with controlled(family.transformer.requires_grad_(False), branch, condition_for(family), 0):
        out = family.transformer(
            hidden_states=condition_for(family, 6), encoder_hidden_states=said.values.clone(),
            timestep=torch.tensor([600.0]), encoder_attention_mask=said.mask.clone(),
            video_coords=family.coordinates(geometry), return_dict=False,
        )[0]  # fmt: skip
        out.square().mean().backward()
    assert all(parameter.grad is not None for name, parameter in branch.named_parameters())
    assert all(parameter.grad is None for parameter in family.transformer.parameters())


def test_it_comes_back_from_its_file(family: Family, tmp_path: Path) -> None:
    for arm in ARMS:
        branch = taught(a_branch(family, arm))
        branch.save_pretrained(tmp_path / arm)
        again = ControlBranch.from_pretrained(tmp_path / arm).eval()
        with controlled(family.transformer, branch, condition_for(family), 2):
            before = velocity(family)
        with controlled(family.transformer, again, condition_for(family), 2):
            assert torch.equal(velocity(family), before)


def test_kinds_have_names() -> None:
    assert [kind_index(kind) for kind in KINDS] == [0, 1, 2]
    with pytest.raises(ValueError, match="edges, depth, mask"):
        kind_index("smell")


@pytest.mark.parametrize("tokens", [4, 37, 180])
def test_the_mixer_looks_at_other_tokens_and_keeps_its_order(tokens: int) -> None:
    torch.manual_seed(2)
    mixer = ShuffleMixer(24, 3, seed=5).eval()
    x, temb = torch.randn(1, tokens, 24), torch.randn(1, 1, 144)
    with torch.no_grad():
        before = mixer(x, temb)
        changed = x.clone()
        changed[0, 0] += 1.0
        moved = (mixer(changed, temb) - before).abs().amax(-1)[0] > 1e-6
    assert moved[0]
    assert 1 <= int(moved.sum()) < tokens or tokens == 4
    torch.manual_seed(2)
    assert torch.equal(ShuffleMixer(24, 3, seed=5).eval()(x, temb), before)


def test_a_width_without_such_groups_is_refused() -> None:
    with pytest.raises(ValueError, match="no 5 groups"):
        ShuffleMixer(24, 5, seed=0)
