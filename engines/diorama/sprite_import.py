"""Takes the world's sprites out of an unpacked emoji package again: how `assets/diorama/sprites` was made.

The package is npm's `@lobehub/fluent-emoji-3d` (assets/HEX.webp), the labels are `en/data.json` of `emojibase-data`:
a noun's `sprite` in world.yaml is a label, the label's hexcode names the file.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from engines.diorama.vocabulary import Noun, sprite_path
from engines.errors import InvalidRequest, NotAvailable

_VARIATION = "-fe0f"  # "shown as a picture": one collection writes this mark of Unicode, the other leaves it out


def read_hexcodes(labels: Path) -> dict[str, str]:
    """Label → hexcode, in lower case. Raises InvalidRequest for a file that is not emojibase's."""
    try:
        entries = json.loads(labels.read_text(encoding="utf-8"))
        return {entry["label"]: entry["hexcode"].lower() for entry in entries}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InvalidRequest(
            f"{labels} is not a list of labels and hexcodes: {error!r}.",
            "Give en/data.json of the npm package emojibase-data 17.0.0.",
            "labels",
        ) from error


def find_picture(assets: Path, hexcode: str) -> Path | None:
    """The picture of a hexcode, written with the variation mark or without it."""
    bare = hexcode.replace(_VARIATION, "")
    names = (hexcode, bare, bare + _VARIATION)
    return next((assets / f"{name}.webp" for name in names if (assets / f"{name}.webp").is_file()), None)


def import_sprites(package: Path, labels: Path, nouns: Iterable[Noun], folder: Path) -> list[Path]:
    """Copies each noun's picture, unchanged, into the folder. All of them, or none if one is missing.

    Raises: InvalidRequest for a labels file that is none, NotAvailable that names the nouns without a picture.
    """
    hexcodes = read_hexcodes(labels)
    found: dict[str, Path] = {}
    missing = []
    for noun in nouns:
        hexcode = hexcodes.get(noun.sprite)
        picture = find_picture(package / "assets", hexcode) if hexcode else None
        if picture is None:
            missing.append(f"{noun.name} (“{noun.sprite}”, {hexcode or 'no such label'})")
        else:
            found[noun.name] = picture
    if missing:
        raise NotAvailable(
            f"{package} has no picture for: {', '.join(missing)}.",
            "Give the unpacked npm package @lobehub/fluent-emoji-3d 1.1.0, the folder that holds assets.",
            "package",
        )
    folder.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copyfile(picture, sprite_path(folder, noun))) for noun, picture in found.items()]
