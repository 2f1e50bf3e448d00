"""What is said about a request before anything is loaded; and that saying it needs no torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engines.backend.catalogue import load_catalogue
from engines.backend.registry import ModelRegistry
from engines.diorama.prompt_words import unknown_words_sentence
from engines.errors import InvalidRequest, LimitExceeded, NotAvailable, UserError
from engines.text_to_video.check import check_request
from engines.text_to_video.engine import TextToVideoEngine
from engines.text_to_video.request import TextToVideoRequest


def check(models: ModelRegistry, **fields: Any) -> list[str]:
    return TextToVideoEngine(models).check(TextToVideoRequest(**({"prompt": "a fox spins on the beach"} | fields)))


def test_an_ordinary_request_has_no_warnings(tiny_diorama: ModelRegistry) -> None:
    assert check(tiny_diorama) == []


def test_rounding_and_untrained_sizes_are_said(tiny_diorama: ModelRegistry) -> None:
    rounded, short = check(tiny_diorama, frames=14)
    assert rounded == "14 frames became 13: Diorama (bundled) makes 1, 5, 9, 13, … frames."
    assert short == "Diorama (bundled) was trained at lengths of 1, 9, 17, 25 frames; 13 may look worse."
    assert check(tiny_diorama, frames=1) == []
    (size,) = check(tiny_diorama, width=128, height=128)
    assert size == "Diorama (bundled) was trained at 96 × 96, 128 × 64, 64 × 128; 128 × 128 may look worse."
    (length,) = check(tiny_diorama, frames=49, long_method="at once")
    assert "49 may look worse" in length
    (rate,) = check(tiny_diorama, fps=12)
    assert "trained at 24 frames per second, not 12" in rate


def test_a_film_is_announced_with_its_parts(tiny_diorama: ModelRegistry) -> None:
    (said,) = check(tiny_diorama, frames=65)
    assert said.startswith("65 frames are made in 3 chunks of up to 28 frames, each given the last 8 frames")
    assert check(tiny_diorama, frames=65, long_method="averaged")[0].endswith("side by side, blended over 8 frames.")
    assert check(tiny_diorama, frames=25) == []
    cached = check(tiny_diorama, frames=65, long_method="rolling", step_cache="first_block")
    assert any("steps are reused only" in said for said in cached)


def test_unknown_words_are_named_with_a_model_that_knows_them() -> None:
    catalogue = load_catalogue()
    sentence = unknown_words_sentence("a zebra spins on the moonbase", catalogue["diorama"], catalogue)
    assert sentence == "“zebra” and “moonbase” are not in the Diorama; LTX-Video can: 9.0 GB, see Models."
    assert unknown_words_sentence("a zebra", catalogue["ltx_video"], catalogue) == ""


def test_a_negative_prompt_without_guidance_is_said(tiny_diorama: ModelRegistry) -> None:
    (warning,) = check(tiny_diorama, negative_prompt="snow", guidance_scale=1)
    assert "negative prompt has no effect" in warning


@pytest.mark.parametrize(
    ("fields", "kind", "field", "fix"),
    [
        ({"width": 1920, "height": 1920, "frames": 257}, LimitExceeded, "width",
         "Choose with 25 frames at most 544 × 544."),
        ({"width": 512, "height": 512, "frames": 257, "long_method": "at once"}, LimitExceeded, "frames",
         "Choose at 512 × 512 at most 29 frames or with 257 frames at most 160 × 160."),
        ({"frames": 1201, "long_method": "spectral"}, LimitExceeded, "long_method",
         "Choose “streaming” or “rolling”, which need no more memory for a longer film, or make a shorter one."),
        ({"frames": 65, "overlap": 6}, InvalidRequest, "overlap", "Choose an overlap of 4 or 8 frames."),
        ({"frames": 65, "overlap": 28}, InvalidRequest, "overlap", "Choose an overlap between 0 and 24 frames."),
        ({"guidance_start": 0.8, "guidance_end": 0.2}, InvalidRequest, "guidance_start",
         "Choose guidance_start of at most 0.2."),
        ({"seed": 2**32 - 1, "takes": 3}, InvalidRequest, "seed", "Choose seed of at most 4294967293."),
        ({"model": "sora"}, InvalidRequest, "model", "Choose one of: diorama."),
    ],
)  # fmt: skip
def test_what_cannot_be_rendered_says_what_can(
    tiny_diorama: ModelRegistry, fields: dict[str, Any], kind: type[UserError], field: str, fix: str
) -> None:
    with pytest.raises(kind) as caught:
        check(tiny_diorama, **fields)
    assert caught.value.field == field
    assert caught.value.fix == fix


def test_a_hub_model_that_is_not_here_shows_licence_size_and_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(NotAvailable) as caught:
        check_request(TextToVideoRequest(prompt="a fox", model="ltx_video"), load_catalogue())
    assert caught.value.field == "model"
    assert "LTX-Video Open Weights License" in caught.value.message
    assert "9.0 GB" in caught.value.message
    assert caught.value.fix.endswith("engines.backend.downloads ltx_video")


def test_importing_the_engine_and_checking_leave_torch_unloaded() -> None:
    code = (
        "import sys\n"
        "from engines.errors import UserError\n"
        "from engines.task import make_engine, parse_request, request_class\n"
        "request = parse_request(request_class('text_to_video'), {'prompt': 'a zebra', 'frames': 10})\n"
        "try:\n    make_engine('text_to_video').check(request)\n"
        "except UserError as error:\n    print(error)\n"
        "assert 'torch' not in sys.modules and 'diffusers' not in sys.modules, 'torch was loaded'"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
