"""What is known of a model before it is loaded, and what a job of it would need here, for the Models tab."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from html import escape

from engines.backend.catalogue import PROJECT_ROOT, LoraCard, ModelCard
from engines.backend.model_files import download_command, is_available, locate
from engines.byte_sizes import spoken_bytes
from engines.errors import InvalidRequest, NotAvailable, UserError
from studio.prompt_advice import catalogue

DOES = {
    "text_to_video": "makes video from text",
    "first_frame": "brings a picture to life",
    "token_timesteps": "takes frames and regions that are given",
}
PLAN_SECONDS = 180
_one_at_a_time = threading.Lock()


def facts_html(card: ModelCard) -> str:
    """Licence first, then what it would fetch or where it is, then what it does."""
    rows = [
        ("Licence", _licence(card)),
        *(("LoRA", f"{escape(lora.file or lora.source.kind)}: {_licence(lora)}") for lora in card.loras),
        *_where(card),
        ("Does", escape("; ".join(said for feature, said in DOES.items() if feature in card.features))),
        ("Starts with", escape(_defaults(card))),
    ]
    lines = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in rows)
    return (
        f'<article class="model-facts"><h3>{escape(card.title)}</h3><p>{escape(card.description)}</p>'
        f"<dl>{lines}</dl></article>"
    )


def _licence(card: ModelCard | LoraCard) -> str:
    return f'{escape(card.licence)}: <a href="{escape(card.licence_url)}">{escape(card.licence_url)}</a>'


def _where(card: ModelCard) -> list[tuple[str, str]]:
    try:
        folder = locate(card)
    except NotAvailable as error:
        source = card.source
        if source.kind != "hub":
            return [("Files", escape(str(error)))]
        fetched = f"{spoken_bytes(card.all_bytes)} of {escape(_repositories(card))} would be fetched"
        return [
            ("Files", f"not on this machine: {fetched}"),
            ("Or by command", f"<code>{escape(download_command(card))}</code>"),
        ]
    return [("Files", f"on this machine, {spoken_bytes(card.all_bytes)} in <code>{escape(_short(folder))}</code>")]


def _repositories(card: ModelCard) -> str:
    sources = [card.source, *(lora.source for lora in card.loras)]
    return " and ".join(source.repo for source in sources if source.kind == "hub")


def _short(folder: object) -> str:
    return str(folder).removeprefix(f"{PROJECT_ROOT}/")


def _defaults(card: ModelCard) -> str:
    start = card.defaults
    size = f"{start.width} × {start.height}, {start.frames} frames at {start.fps} a second"
    return f"{size}, {start.steps} steps, guidance {start.guidance_scale:g}"


def memory_html(model: str, width: float | None, height: float | None, frames: float | None) -> str:
    """How the job would be laid into memory here; what is wrong with the size where it cannot be made."""
    wanted = {"Width": width, "Height": height, "Frames": frames}
    try:
        sizes = [_whole(name, value) for name, value in wanted.items()]
        fits, sentences = planned(model, *sizes, this_minute())
    except UserError as error:
        fits, sentences = False, (str(error),)
    answer = "This machine can run it." if fits else "This machine cannot run it so."
    lines = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return (
        f'<section class="model-memory {"fits" if fits else "too-large"}" role="status"><h3>{answer}</h3>'
        f"<ul>{lines}</ul></section>"
    )


def memory_line(model: str, width: float | None, height: float | None, frames: float | None) -> str:
    """Before a job of a large model is sent: whether it fits, and by which plan; "" where the answer is no news.

    The bundled model fits wherever this page runs; of a model that is not here, and of numbers that cannot be, the
    advice above the button speaks.
    """
    card = catalogue().get(model)
    if card is None or card.source.kind == "bundled" or not is_available(card):
        return ""
    try:
        sizes = [_whole(*one) for one in (("Width", width), ("Height", height), ("Frames", frames))]
        fits, sentences = planned(model, *sizes, this_minute())
    except UserError:
        return ""
    _, answer, *reasons = sentences
    lines = "".join(f"<li>{escape(sentence)}</li>" for sentence in reasons)
    return (
        f'<details class="memory-line {"fits" if fits else "too-large"}"><summary>Memory: {escape(answer)}</summary>'
        f"<ul>{lines}</ul></details>"
    )


def _whole(name: str, value: float | None) -> int:
    if not value or value < 1:
        raise InvalidRequest(f"{name} is empty or too small.", "Write a number of at least 1.", field=name.lower())
    return int(value)


@lru_cache(maxsize=64)
def planned(
    model: str, width: int, height: int, frames: int, minute: int,
    run: Callable[[Sequence[str]], str] | None = None,
) -> tuple[bool, tuple[str, ...]]:  # fmt: skip
    """Whether it fits and why, from a process of its own: the page itself never loads torch.

    Args:
        minute: When it is asked; what is free changes, so an answer holds for a minute.

    Raises: UserError with what that process says is wrong.
    """
    sizes = ["--width", str(width), "--height", str(height), "--frames", str(frames)]
    with _one_at_a_time:
        answer = json.loads((run or _run)([model, *sizes, "--json"]))
    return bool(answer["fits"]), tuple(answer["sentences"])


def this_minute() -> int:
    return int(time.monotonic() // 60)


def _run(arguments: Sequence[str]) -> str:
    command = [sys.executable, "-m", "engines.backend.memory", *arguments]
    try:
        done = subprocess.run(
            command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=PLAN_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotAvailable(
            "Working out the memory took too long.", "Try again when the machine is less busy.", field="model"
        ) from None
    if done.returncode:
        raise NotAvailable(done.stderr.strip().splitlines()[-1], "Choose another size or model.", field="model")
    return done.stdout.splitlines()[-1]
