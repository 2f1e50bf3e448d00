"""The Diorama from the command line: `python -m engines.diorama import-sprites …` and `… render …`.

Exit status: 0 done, 2 it could not be done as asked.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from engines.diorama.captions import plain_caption
from engines.diorama.clip_spec import ClipSpec
from engines.diorama.render import render
from engines.diorama.sprite_import import import_sprites
from engines.diorama.vocabulary import WORLD_FOLDER, vocabulary, world
from engines.errors import InvalidRequest, UserError
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
    take.add_argument("--out", type=Path, default=WORLD_FOLDER / "sprites", help="folder for the pictures")
    draw = commands.add_parser("render", help="render one clip to a file")
    for field in ("noun", "motion", "scene"):
        draw.add_argument(f"--{field}", required=True, help=", ".join(vocabulary()[f"{field}s"]))
    draw.add_argument("--seed", type=_seed, default=0, help="everything that varies: place, size, light")
    draw.add_argument("--out", type=Path, required=True, metavar="FILE", help="ends in .mp4, .webm, .gif or .zip")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns: the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.command == "import-sprites":
            copied = import_sprites(chosen.package, chosen.labels, world().nouns.values(), chosen.out)
            print(f"{len(copied)} sprites are in {chosen.out}.")
        else:
            spec = ClipSpec(chosen.noun, chosen.motion, chosen.scene, chosen.seed)
            render_to_file(spec, chosen.out)
            print(f"{plain_caption(spec)}: {chosen.out}")
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
