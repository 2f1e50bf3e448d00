"""Hooks see what the model attends with, change it, and are gone afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engines.backend.attention.calls import AttentionCall, AttentionInputs, attend
from engines.backend.attention.feature_store import FeatureStore
from engines.backend.attention.hooks import FurtherKeys, Keep, MaskKeys, Recall, Where
from engines.backend.families.base import PromptEmbedding, Tokens, joined
from engines.backend.families.video_family import VideoFamily
from engines.backend.loading import load_family
from engines.sampling.site import Site
from tests.engines.tiny_models import TINY, card_for

CPU = torch.device("cpu")
NAMES = ("ltx", "wan", "wan_vace", "wan_i2v", "cogvideox", "hunyuan_video")
HERE = Site(3, 0, 0.6)


@pytest.fixture(scope="module", params=NAMES)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> VideoFamily:
    model, save = TINY[request.param]
    folder = save(tmp_path_factory.mktemp("model"))
    return load_family(card_for(folder, model), folder, CPU, torch.float32)


@pytest.fixture
def asked(family: VideoFamily) -> tuple[Tokens, Tensor, PromptEmbedding]:
    torch.manual_seed(0)
    geometry = family.geometry(64, 96, 9, 16)
    tokens = family.pack(torch.randn(1, family.channels, *geometry.grid), geometry)
    prompt = family.encode_prompt(["a red fox"])
    if family.image_encoder is not None:
        prompt = family.with_picture(prompt, torch.randint(0, 256, (64, 96, 3), dtype=torch.uint8).numpy())
    return tokens, torch.full((1, geometry.tokens), 0.6), prompt


Seen = list[tuple[AttentionCall, AttentionInputs, Tensor]]


def seeing(seen: Seen) -> Callable[..., Tensor]:
    def hook(call: AttentionCall, inputs: AttentionInputs, call_next: Callable[[AttentionInputs], Tensor]) -> Tensor:
        answer = call_next(inputs)
        seen.append((call, inputs, answer))
        return answer

    return hook


def test_with_a_hook_that_only_reads_the_model_answers_the_same(family: VideoFamily, asked: tuple) -> None:
    plain = family.velocity(*asked, HERE)
    seen: Seen = []
    with family.attention(seeing(seen)):
        hooked = family.velocity(*asked, HERE)
    assert (hooked - plain).abs().max() < 1e-5
    assert seen
    count = len(seen)
    assert torch.equal(family.velocity(*asked, HERE), plain), "the layers are as before"
    assert len(seen) == count


def test_every_layer_is_seen_with_its_place_and_its_tokens(family: VideoFamily, asked: tuple) -> None:
    seen: Seen = []
    with family.attention(seeing(seen)):
        family.velocity(*asked, HERE)
    layers = {call.at.layer for call, _, _ in seen}
    assert layers == set(range(family.transformer.config.num_layers))
    patch = family.transformer.config.patch_size
    side = patch if isinstance(patch, int) else patch[1]
    for call, inputs, answer in seen:
        assert (call.at.interval, call.at.sigma) == (3, 0.6)
        assert answer.shape == inputs.query.shape
        grid = call.layout.grid
        video = range(inputs.query.shape[1])[call.layout.video]
        assert len(video) == grid[0] * grid[1] * grid[2]
        assert grid[1] == asked[0].grid[1] // side
        text = [] if call.layout.text is None else range(inputs.query.shape[1])[call.layout.text]
        assert len(video) + len(text) == inputs.query.shape[1]
        assert (call.kind == "joint") == (call.layout.text is not None)
        assert torch.allclose(answer, attend(inputs), atol=1e-6)


def test_what_was_kept_in_one_pass_can_be_attended_to_in_another(family: VideoFamily, asked: tuple) -> None:
    """A layer's own keys once more in the same softmax change nothing: every weight is halved and counted twice."""
    store = FeatureStore(budget=10**8, dtype=torch.float32)
    plain = family.velocity(*asked, HERE)
    with family.attention(Keep(store, names=("key", "value"))):
        family.velocity(*asked, HERE)
    assert 0 < store.nbytes < 10**8
    where = (HERE, asked)

    def again(call: AttentionCall) -> tuple[Tensor, Tensor]:
        like = where[1][0].values
        return store.get(call.at, call.kind, "key", like), store.get(call.at, call.kind, "value", like)

    def other(call: AttentionCall) -> tuple[Tensor, Tensor]:
        key, value = again(call)
        return key.roll(1, dims=1), 5 * value

    kind = "joint" if family.card.family in ("cogvideox", "hunyuan_video") else "self"
    if family.card.family != "hunyuan_video":  # of its prompt the padding is hidden, and would not be here
        with family.attention(FurtherKeys(again)):
            assert (family.velocity(*asked, HERE) - plain).abs().max() < 1e-4
    with family.attention(FurtherKeys(other)):
        changed = family.velocity(*asked, HERE)
    assert (changed - plain).abs().max() > 1e-4
    with family.attention(FurtherKeys(other, Where(kinds=(kind,), layers=(99,)))):
        assert (family.velocity(*asked, HERE) - plain).abs().max() < 1e-5
    with family.attention(FurtherKeys(other, gate=0.0)):
        assert (family.velocity(*asked, HERE) - plain).abs().max() < 1e-5
    with family.attention(FurtherKeys(other, heads=())):
        assert (family.velocity(*asked, HERE) - plain).abs().max() < 1e-5
    with family.attention(FurtherKeys(other, heads=(1,))):
        some = family.velocity(*asked, HERE)
    assert 1e-5 < (some - plain).abs().max() != (changed - plain).abs().max()


def test_only_the_chosen_heads_see_further_keys(family: VideoFamily, asked: tuple) -> None:
    seen: Seen = []
    before: Seen = []

    def noise(call: AttentionCall) -> tuple[Tensor, Tensor]:
        like = before[0][1].key
        return torch.randn(1, 5, *like.shape[2:]), torch.randn(1, 5, *like.shape[2:])

    first = Where(kinds=("self", "joint"), layers=(0,))
    with family.attention(seeing(before)):
        family.velocity(*asked, HERE)
    with family.attention(seeing(seen), FurtherKeys(noise, first, heads=(0,))):
        family.velocity(*asked, HERE)
    was, now = (next(a for c, _, a in one if c in first) for one in (before, seen))
    assert torch.allclose(now[:, :, 1], was[:, :, 1], atol=1e-6)
    assert (now[:, :, 0] - was[:, :, 0]).abs().max() > 1e-3


def test_keys_can_be_placed_anywhere(family: VideoFamily, asked: tuple) -> None:
    if family.card.family not in ("ltx", "wan"):
        with pytest.raises(ValueError, match="cannot be placed"):
            family.turned(torch.zeros(1, 1, 2, 12), torch.zeros(1, 3, 1))
        with pytest.raises(ValueError, match="cannot be placed"):
            family.places(family.geometry(64, 96, 9, 16))
        return
    seen: Seen = []
    with family.attention(seeing(seen)):
        family.velocity(*asked, HERE)
    for call, inputs, _ in seen:
        if call.kind == "self":
            assert inputs.bare_key is not None
            assert inputs.bare_query is not None
            places = family.places(family.geometry(64, 96, 9, 16))
            assert torch.allclose(family.turned(inputs.bare_key, places), inputs.key, atol=1e-5)
            assert torch.allclose(family.turned(inputs.bare_query, places), inputs.query, atol=1e-5)
            # LTX's fastest frequencies turn hundreds of radians from one cell to the next.
            nearby = family.turned(inputs.bare_key, places + (1e-5 if family.card.family == "ltx" else 0.01))
            assert 0 < (nearby - inputs.key).abs().max() < 0.5


def test_hidden_keys_have_no_say(family: VideoFamily, asked: tuple) -> None:
    """With every video token but itself hidden, a token attends to itself alone."""
    kinds = ("self",) if family.card.family in ("ltx", "wan") else ("joint",)

    def only_itself(call: AttentionCall, inputs: AttentionInputs) -> Tensor:
        count = inputs.query.shape[1]
        return torch.full((count, count), -torch.inf).fill_diagonal_(0.0)

    seen: Seen = []
    with family.attention(seeing(seen), MaskKeys(only_itself, Where(kinds=kinds))):
        family.velocity(*asked, HERE)
    for call, inputs, answer in seen:
        if call.kind in kinds:
            real = answer[:, call.layout.video]
            assert torch.allclose(real, inputs.value[:, call.layout.video], atol=1e-5)


def test_values_of_another_pass_take_the_place_of_a_layers_own(family: VideoFamily, asked: tuple) -> None:
    """The same model under another prompt, shown the first prompt's values in every layer, says nearly the same."""
    tokens, sigmas, prompt = asked
    store = FeatureStore(budget=10**8, dtype=torch.float32)
    with family.attention(Keep(store, names=("value",))):
        plain = family.velocity(*asked, HERE)
    with family.attention(Recall(store)):
        assert (family.velocity(*asked, HERE) - plain).abs().max() < 1e-5
    other = replace(tokens, values=tokens.values.flip(1))
    twice = Tokens(torch.cat([other.values] * 2), torch.cat([other.coordinates] * 2), tokens.grid, None)
    if tokens.beside is not None:
        twice = replace(twice, beside=torch.cat([tokens.beside] * 2))
    both = joined([prompt, prompt])
    here = replace(HERE, branch="uncond+cond")
    seen: Seen = []
    with family.attention(Recall(store, Where(kinds=("self", "joint"), layers=(0,))), seeing(seen)):
        family.velocity(twice, sigmas.repeat(2, 1), both, here)
    for call, inputs, _ in seen:
        if call.kind in ("self", "joint"):
            kept = store.get(replace(call.at, branch=HERE.branch), call.kind, "value", inputs.value)
            video = call.layout.video
            same = torch.allclose(inputs.value[:, video], kept[:, video].expand_as(inputs.value[:, video]), atol=1e-6)
            assert same == (call.at.layer == 0)


def test_values_are_recalled_for_some_tokens_and_in_part(family: VideoFamily, asked: tuple) -> None:
    store = FeatureStore(budget=10**8, dtype=torch.float32)
    with family.attention(Keep(store, names=("value",))):
        family.velocity(*asked, HERE)
    other = (replace(asked[0], values=asked[0].values.flip(1)), *asked[1:])
    plain: Seen = []
    with family.attention(seeing(plain)):
        family.velocity(*other, HERE)
    call, own, _ = next(one for one in plain if one[0].kind in ("self", "joint"))
    video = call.layout.video
    first = torch.arange(own.value[:, video].shape[1]) < 3
    where = Where(kinds=("self", "joint"), layers=(call.at.layer,))
    kept = store.get(call.at, call.kind, "value", own.value)[:, video]
    for share in (1.0, 0.25):
        seen: Seen = []
        with family.attention(Recall(store, where, share=share, tokens=first), seeing(seen)):
            family.velocity(*other, HERE)
        now = next(inputs.value for c, inputs, _ in seen if c == call)[:, video]
        before = own.value[:, video]
        assert torch.allclose(now[:, 3:], before[:, 3:], atol=1e-6)
        assert torch.allclose(now[:, :3], torch.lerp(before, kept, share)[:, :3], atol=1e-5)
        assert (now[:, :3] - before[:, :3]).abs().max() > 1e-4


def test_the_bare_model_is_refused_while_hooks_are_in_force(family: VideoFamily, asked: tuple) -> None:
    tokens, sigmas, prompt = asked
    with torch.inference_mode(), family.attention(seeing([])), pytest.raises(ValueError, match="through the family"):
        family._velocity(tokens, sigmas, prompt)
