"""The Diorama from the command line: `python -m engines.diorama import-sprites …` and `… render …`.

Exit status: 0 done, 2 it could not be done as asked.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from engines.command_line import exit_status
from engines.diorama.captions import plain_caption
from engines.diorama.clip_spec import ClipSpec
from engines.diorama.render import render
from engines.diorama.sprite_import import import_sprites
from engines.diorama.theatre.film import write_film
from engines.diorama.theatre.sheet import scene_sheet
from engines.diorama.theatre.spec import read_film
from engines.diorama.vocabulary import WORLD_FOLDER, outside, vocabulary, world
from engines.errors import InvalidRequest
from engines.media.contact_sheet import save_picture
from engines.media.writer import ClipWriter


def check_words(noun: str, motion: str, scene: str) -> None:
    """Raises InvalidRequest for a word that the world does not have, or a thing whose turning nobody would see."""
    known = vocabulary()
    for field, word in (("noun", noun), ("motion", motion), ("scene", scene)):
        choices = known[f"{field}s"]
        if word not in choices:
            raise InvalidRequest(
                f"The Diorama has no {field} “{word}”.", f"Choose one of: {', '.join(choices)}.", field
            )
    if motion == "spins" and not world().nouns[noun].turns:
        raise InvalidRequest(
            f"A {noun} looks alike when it is turned.", f"Choose another motion than “spins” for a {noun}.", "motion"
        )


def render_to_file(spec: ClipSpec, path: Path) -> None:
    """Draws a clip and writes it. Raises InvalidRequest as check_words, and what ClipWriter raises."""
    check_words(spec.noun, spec.motion, spec.scene)
    with ClipWriter(path, spec.fps) as writer:
        writer.write(render(spec, with_flow=False).frames)


def _three_words(chosen: argparse.Namespace) -> tuple[str, str, str]:
    """Raises: InvalidRequest for a word that is missing."""
    for field in ("noun", "motion", "scene"):
        if getattr(chosen, field) is None:
            raise InvalidRequest(
                f"--{field} is missing.", "Give --noun, --motion and --scene, or --spec with a file.", field
            )
    return chosen.noun, chosen.motion, chosen.scene


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engines.diorama", description="The rendered world.")
    commands = parser.add_subparsers(dest="command", required=True)
    take = commands.add_parser("import-sprites", help="copy the world's sprites out of the package they came from")
    take.add_argument("--package", type=Path, required=True, help="unpacked @lobehub/fluent-emoji-3d 1.1.0")
    take.add_argument("--labels", type=Path, required=True, help="en/data.json of emojibase-data 17.0.0")
    take.add_argument("--out", type=Path, default=WORLD_FOLDER, help="folder for the two folders of pictures")
    draw = commands.add_parser("render", help="render a clip from three words, or a film with its truth from a file")
    draw.add_argument("--spec", type=Path, metavar="FILE", help="a scene or film as YAML or JSON: docs/DIORAMA.md")
    for field in ("noun", "motion", "scene"):
        draw.add_argument(f"--{field}", help=", ".join(vocabulary()[f"{field}s"]))
    draw.add_argument("--seed", type=_seed, default=0, help="everything that varies: place, size, light")
    draw.add_argument(
        "--out", type=Path, required=True, metavar="PATH",
        help="of three words a file that ends in .mp4, .webm, .gif or .zip; of a spec a folder",
    )  # fmt: skip
    sheet = commands.add_parser("sheet", help="random scenes with their captions on one picture")
    sheet.add_argument("--seed", type=_seed, default=0, help="of the scenes")
    sheet.add_argument("--out", type=Path, required=True, metavar="FILE", help="ends in .png")
    commands.add_parser("words", help="list what can be drawn, in the vocabulary and outside of it")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns: the exit status."""
    chosen = _parser().parse_args(arguments)
    return exit_status(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    if chosen.command == "import-sprites":
        for nouns, folder in ((world().nouns, "sprites"), (outside(), "sprites_outside")):
            copied = import_sprites(chosen.package, chosen.labels, nouns.values(), chosen.out / folder)
            print(f"{len(copied)} sprites are in {chosen.out / folder}.")
    elif chosen.command == "sheet":
        save_picture(chosen.out, scene_sheet(chosen.seed))
        print(chosen.out)
    elif chosen.command == "words":
        for title, words in {**vocabulary(), "things outside the vocabulary": list(outside())}.items():
            print(f"{title}: {', '.join(words)}")
    elif chosen.spec is not None:
        for path in write_film(read_film(chosen.spec), chosen.out):
            print(path)
    else:
        spec = ClipSpec(*_three_words(chosen), chosen.seed)
        render_to_file(spec, chosen.out)
        print(f"{plain_caption(spec)}: {chosen.out}")


if __name__ == "__main__":
    sys.exit(main())
