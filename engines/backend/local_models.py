"""Models in a folder of one's own: python -m engines.backend.local_models add FOLDER [--title TITLE], or list.

With --lora FILE [--steps 4] [--guidance 1] the model is entered with that LoRA beside its weights, under a title of its
own: a few-step one, for instance.

A diffusers folder is looked at, nothing of it is loaded; what its family needs to know becomes a card beside the
studio's own things (HOME/models), and the model stands in every menu from the next start. `remove ID` forgets the card;
the folder stays.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from engines.backend.catalogue import (
    Feature,
    LocalSource,
    LoraCard,
    ModelCard,
    load_card,
    load_catalogue,
    user_models_folder,
)
from engines.backend.memory.weights import tensor_entries
from engines.command_line import exit_status
from engines.errors import InvalidRequest
from engines.media.target import write_atomically

# Pipeline class of model_index.json → the catalogue's card that its family's facts are taken from.
TEMPLATES = {
    "LTXPipeline": "ltx_video", "LTXImageToVideoPipeline": "ltx_video", "LTXConditionPipeline": "ltx_video",
    "WanPipeline": "wan_2_1", "CogVideoXPipeline": "cogvideox_2b", "HunyuanVideo15Pipeline": "hunyuan_video_1_5",
    "WanImageToVideoPipeline": "wan_2_1", "WanVACEPipeline": "wan_2_1", "CogVideoXImageToVideoPipeline": "cogvideox_2b",
    "HunyuanVideo15ImageToVideoPipeline": "hunyuan_video_1_5",
}  # fmt: skip
PICKLES = (".bin", ".pt", ".pth", ".ckpt")


def card_of_folder(folder: Path, title: str = "") -> ModelCard:
    """What the catalogue would say of a diffusers folder. Reads its JSON files and the names of its weights.

    Args:
        title: As menus show it; the folder's name where it is empty.

    Raises: InvalidRequest (field folder) for what is no model of a known family, incomplete, or pickled.
    """
    index = _json(folder, "model_index.json")
    template = load_catalogue().card(_template(folder, index))
    facts = template.facts.model_dump() | _COMPRESSION[template.family](folder)
    by_token = template.facts.timestep_granularity == "token" or bool(index.get("expand_timesteps"))
    facts["timestep_granularity"] = "token" if by_token else "sample"
    parts = ["transformer", "vae", *([] if facts["text_encoder"] == "minilm" else ["text_encoder"])]
    if index.get("boundary_ratio") is not None:
        parts.append("transformer_2")
    for part in parts:
        _require_safetensors(folder, part)
    named = title.strip() or folder.name
    features = _features(str(index["_class_name"]), template.family, by_token)
    return ModelCard.model_validate(
        template.model_dump(mode="json")
        | {
            "id": "local_" + (re.sub(r"[^a-z0-9]+", "_", named.lower()).strip("_") or "model"),
            "title": named[:80],
            "description": f"A model of the {template.family} family in a folder of your own, {folder.name}.",
            "source": {"kind": "local", "path": str(folder.resolve())},
            "size_bytes": sum(path.stat().st_size for path in folder.rglob("*.safetensors")),
            "licence": "as its folder says",
            "features": sorted(features),
            "facts": facts,
        }
    )


def with_lora(card: ModelCard, file: Path, steps: int | None = None, guidance_scale: float | None = None) -> ModelCard:
    """The card of a local model with a LoRA file beside its weights.

    Args:
        steps, guidance_scale: What the form starts with; None for what the model has.

    Raises: InvalidRequest (field lora) for a file that is no LoRA for it; the file's matrices are compared with the
        names and sizes of the checkpoint's weights, which are not loaded.
    """
    from engines.backend.lora.files import read_lora  # with torch

    weights = read_lora(file, card.family)
    sizes = {
        name.removesuffix(".weight"): entry.shape
        for path in sorted((Path(_path_of(card)) / "transformer").glob("*.safetensors"))
        for name, entry in tensor_entries(path)
    }
    for name, each in weights.items():
        wanted = (each.up.shape[0], each.down.shape[1])
        if sizes.get(name) != wanted:
            raise InvalidRequest(
                f"“{file.name}” is for another model: it changes {name} of size {wanted}, which {card.title} "
                f"{'has in size ' + str(sizes[name]) if name in sizes else 'has not'}.",
                "Choose a LoRA for this model.",
                "lora",
            )
    lora = LoraCard(
        source=LocalSource(kind="local", path=str(file.resolve())), size_bytes=file.stat().st_size,
        licence="as its file says", licence_url=card.licence_url,
    )  # fmt: skip
    changed = {"steps": steps, "guidance_scale": guidance_scale}
    defaults = card.defaults.model_copy(update={name: value for name, value in changed.items() if value is not None})
    return card.model_copy(update={"loras": (lora,), "defaults": defaults})


def add_local_model(
    folder: Path,
    title: str = "",
    models: Path | None = None,
    changed: Callable[[ModelCard], ModelCard] = lambda card: card,
) -> ModelCard:
    """Puts a folder into the catalogue.

    Args:
        changed: What is to be entered in place of the folder's card: `with_lora`.

    Raises: as `card_of_folder`; InvalidRequest (field title) for a name that another model has.
    """
    card, models = changed(card_of_folder(folder, title)), models or user_models_folder()
    path = models / f"{card.id}.yaml"
    if path.exists() and (_path_of(load_card(path)), load_card(path).loras) != (_path_of(card), card.loras):
        raise InvalidRequest(
            f"There is a model “{card.title}” already, in {_path_of(load_card(path))}.",
            "Choose another title.",
            "title",
        )
    write_card(card, models)
    return card


def write_card(card: ModelCard, models: Path | None = None) -> Path:
    """Writes or renews the card of a local model. Returns: its file."""
    folder = models or user_models_folder()
    path = folder / f"{card.id}.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(path, yaml.safe_dump(card.model_dump(mode="json", exclude_none=True), allow_unicode=True).encode())
    return path


def remove_local_model(model: str, models: Path | None = None) -> None:
    """Forgets a card. Raises: InvalidRequest (field model) for an id that is no local model's."""
    path = (models or user_models_folder()) / f"{model}.yaml"
    if not model.startswith("local_") or not path.is_file():
        known = ", ".join(sorted(card.stem for card in path.parent.glob("*.yaml"))) or "there are none"
        raise InvalidRequest(f"There is no local model “{model}”.", f"Local models: {known}.", "model")
    path.unlink()


def _template(folder: Path, index: Mapping[str, Any]) -> str:
    if _json(folder, "vae/config.json").get("_class_name") == "PatchVideoAutoencoder":
        return "diorama"
    name = str(index.get("_class_name"))
    if name not in TEMPLATES:
        raise InvalidRequest(
            f"“{folder.name}” holds a {name}, which no family here loads.",
            f"Known are {', '.join(TEMPLATES)}.",
            "folder",
        )
    return TEMPLATES[name]


def _ltx(folder: Path) -> dict[str, int]:
    config = _json(folder, "vae/config.json")
    if config.get("_class_name") == "PatchVideoAutoencoder":
        return {}
    steps = sum(bool(scaled) for scaled in config.get("spatio_temporal_scaling", (True, True, True, False)))
    patch, patch_time = int(config.get("patch_size", 4)), int(config.get("patch_size_t", 1))
    cell = patch * 2**steps
    return {"spatial_compression": cell, "temporal_compression": patch_time * 2**steps, "size_multiple": cell}


def _wan(folder: Path) -> dict[str, int]:
    config = _json(folder, "vae/config.json")
    cell = int(config.get("scale_factor_spatial", 8))
    patch = int(_json(folder, "transformer/config.json").get("patch_size", (1, 2, 2))[1])
    return {
        "spatial_compression": cell,
        "temporal_compression": int(config.get("scale_factor_temporal", 4)),
        "size_multiple": cell * patch,
    }


def _cogvideox(folder: Path) -> dict[str, int]:
    config = _json(folder, "vae/config.json")
    cell = 2 ** (len(config.get("block_out_channels", (128, 256, 256, 512))) - 1)
    patch = int(_json(folder, "transformer/config.json").get("patch_size", 2))
    time = int(config.get("temporal_compression_ratio", 4))
    return {"spatial_compression": cell, "temporal_compression": time, "size_multiple": cell * patch}


def _hunyuan_video(folder: Path) -> dict[str, int]:
    config = _json(folder, "vae/config.json")
    cell = int(config.get("spatial_compression_ratio", 16))
    time = int(config.get("temporal_compression_ratio", 4))
    return {"spatial_compression": cell, "temporal_compression": time, "size_multiple": cell}


def _features(pipeline: str, family: str, by_token: bool) -> set[Feature]:
    """A model with noise levels by token takes frames as tokens and text alone; others are made for one of both."""
    if by_token:
        return {Feature.TEXT_TO_VIDEO, Feature.FIRST_FRAME, Feature.TOKEN_TIMESTEPS}
    if pipeline == "WanVACEPipeline":
        return {Feature.TEXT_TO_VIDEO, Feature.FIRST_FRAME}
    only_from_pictures = "ImageToVideo" in pipeline and family != "ltx"
    return {Feature.FIRST_FRAME if only_from_pictures else Feature.TEXT_TO_VIDEO}


_COMPRESSION: dict[str, Callable[[Path], dict[str, int]]] = {
    "ltx": _ltx, "wan": _wan, "cogvideox": _cogvideox, "hunyuan_video": _hunyuan_video,
}  # fmt: skip


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InvalidRequest(
            f"“{folder}” is no whole diffusers folder: {name} cannot be read ({type(error).__name__}).",
            "Give the folder that holds model_index.json, transformer and vae.",
            "folder",
        ) from error
    return content


def _require_safetensors(folder: Path, part: str) -> None:
    files = list((folder / part).glob("*")) if (folder / part).is_dir() else []
    if any(file.suffix == ".safetensors" for file in files):
        return
    pickled = next((file.name for file in files if file.suffix in PICKLES), None)
    raise InvalidRequest(
        f"“{folder.name}/{part}” has its weights in {pickled}, a pickle, which can run anything when it is opened."
        if pickled
        else f"“{folder.name}/{part}” has no weights.",
        "Give a folder whose weights are .safetensors files.",
        "folder",
    )


def _path_of(card: ModelCard) -> str:
    assert isinstance(card.source, LocalSource)
    return card.source.path


def main(given: Sequence[str] | None = None) -> int:
    """Returns: the exit status, 2 for what cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m engines.backend.local_models", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("command", choices=["add", "list", "remove"])
    parser.add_argument("what", nargs="?", default="", help="the folder to add, or the id to remove")
    parser.add_argument("--title", default="", help="as menus show it; default: the folder's name")
    parser.add_argument("--lora", type=Path, help="a .safetensors file for this model, used beside its weights")
    parser.add_argument("--steps", type=int, help="what the form starts with")
    parser.add_argument("--guidance", type=float, help="what the form starts with; 1 for most few-step LoRAs")
    arguments = parser.parse_args(given)
    return exit_status(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> None:
    if arguments.command == "add":
        card = add_local_model(Path(arguments.what), arguments.title, changed=lambda card: _as_asked(card, arguments))
        print(f"{card.id}: {card.title}, {card.all_bytes / 1e9:.2f} GB, family {card.family}")
    elif arguments.command == "remove":
        remove_local_model(arguments.what)
    else:
        for card in load_catalogue().values():
            if isinstance(card.source, LocalSource):
                print(f"{card.id}: {card.title}, {card.source.path}")


def _as_asked(card: ModelCard, arguments: argparse.Namespace) -> ModelCard:
    if arguments.lora:
        return with_lora(card, arguments.lora, arguments.steps, arguments.guidance)
    if arguments.steps or arguments.guidance:
        raise InvalidRequest("--steps and --guidance are for a model with a LoRA.", "Give --lora FILE, too.", "lora")
    return card


if __name__ == "__main__":
    sys.exit(main())
