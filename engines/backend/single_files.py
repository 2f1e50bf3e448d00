"""A transformer in one file, as other programs share them, becomes a folder that this studio loads:

    python -m engines.backend.single_files FILE --like MODEL [--title TITLE]

FILE is .safetensors (also 8-bit floats, with or without scales) or .gguf in any of its quantisations; names may be
diffusers' or the original ones. MODEL is a model on this machine of the same architecture, whose autoencoder, text
encoder and configuration are taken along (hard links where the disk allows it). The weights are written in bfloat16; in
how many bits they lie in memory is decided for each job (engines.backend.memory).
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engines.backend.catalogue import ModelCard, load_catalogue, user_models_folder
from engines.backend.local_models import add_local_model
from engines.backend.model_classes import transformer_class
from engines.backend.model_files import locate
from engines.byte_sizes import spoken_bytes
from engines.command_line import exit_status
from engines.errors import InvalidRequest
from engines.free_disk import require_room

STORED = torch.bfloat16
SCALES = (".scale_weight", ".weight_scale")  # of 8-bit floats: the matrix is so many times as large
# Of the same files: what only their own kernels need.
IGNORED = (".scale_input", ".input_scale", "scaled_fp8")


def import_single_file(file: Path, like: ModelCard, title: str = "", models: Path | None = None) -> ModelCard:
    """Makes the folder and puts it into the catalogue.

    Args:
        like: A model on this machine whose transformer has the same configuration.
        title: As menus show it; the file's name where it is empty.
        models: Where cards and folders of local models lie; None for the studio's folder.

    Raises: InvalidRequest (field file or model) for what is no transformer of that architecture; NotAvailable if `like`
        is not on this machine; ResourceError if the disk is too small.
    """
    models, base = models or user_models_folder(), locate(like)
    if (base / "transformer_2").is_dir():
        raise InvalidRequest(
            f"{like.title} has two transformers; one file cannot stand for both.",
            "Add the whole folder: python -m engines.backend.local_models add FOLDER",
            "model",
        )
    named = title.strip() or file.stem
    folder = models / "folders" / named
    if folder.exists():
        raise InvalidRequest(f"There is “{named}” already, in {folder}.", "Choose another title.", "title")
    transformer = _transformer(file, like, base)
    _require_room(transformer, base, models)
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        transformer.save_pretrained(unfinished / "transformer", max_shard_size="5GB")
        _take_along(base, unfinished)
        unfinished.rename(folder)
        return add_local_model(folder, named, models)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def read_weights(file: Path) -> dict[str, Tensor]:
    """Name → weights as plain numbers, of a .safetensors or .gguf file. Raises InvalidRequest (field file)."""
    readers = {".safetensors": _read_safetensors, ".gguf": _read_gguf}
    if file.suffix.lower() not in readers:
        raise InvalidRequest(
            f"“{file.name}” is neither a .safetensors nor a .gguf file.",
            "Pickles (.pt, .ckpt, .bin) can run anything when they are opened; take another file.",
            "file",
        )
    if not file.is_file():
        raise InvalidRequest(f"There is no file {file}.", "Check the path.", "file")
    try:
        return readers[file.suffix.lower()](file)
    except Exception as error:  # both libraries raise whatever they stumble over
        raise InvalidRequest(
            f"“{file.name}” cannot be read ({type(error).__name__}: {error}).",
            "It may be cut off: fetch it again and compare its size.",
            "file",
        ) from error


def _read_safetensors(file: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    stored = {name: value for name, value in load_file(file).items() if not name.endswith(IGNORED)}
    scales = {_matrix_of(name): stored.pop(name) for name in list(stored) if name.endswith(SCALES)}
    return {name: _unscaled(value, scales.get(name)) for name, value in stored.items()}


def _matrix_of(scale: str) -> str:
    return scale.rsplit(".", 1)[0] + ".weight"


def _unscaled(value: Tensor, scale: Tensor | None) -> Tensor:
    return value.to(STORED) if scale is None else (value.float() * scale.float()).to(STORED)


def _read_gguf(file: Path) -> dict[str, Tensor]:
    from gguf import GGUFReader
    from gguf.quants import dequantize

    return {
        tensor.name: torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).copy()).to(STORED)
        for tensor in GGUFReader(file).tensors
    }


def _transformer(file: Path, like: ModelCard, base: Path) -> Any:
    """A model of the base's configuration with the file's weights, to be saved."""
    weights = read_weights(file)
    kind = transformer_class(like.family, base / "transformer")
    with torch.device("meta"):
        model = kind.from_config(kind.load_config(base / "transformer"))
    try:
        told = model.load_state_dict(_renamed(kind, model, weights), strict=False, assign=True)
    except (KeyError, RuntimeError) as error:
        raise _another_architecture(file, like, " ".join(str(error).split())[:200]) from error
    if told.missing_keys:
        raise _another_architecture(
            file, like, f"{len(told.missing_keys)} of its weights are missing, such as {told.missing_keys[0]}"
        )
    return model


def _renamed(kind: Any, model: Any, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """diffusers knows the original names of LTX and Wan; of other families only its own are understood."""
    from diffusers.loaders.single_file_model import SINGLE_FILE_LOADABLE_CLASSES

    known = SINGLE_FILE_LOADABLE_CLASSES.get(kind.__name__)
    if known is None or set(model.state_dict()) <= set(weights):
        return weights
    renamed: dict[str, Tensor] = known["checkpoint_mapping_fn"](checkpoint=dict(weights), config=dict(model.config))
    return renamed


def _another_architecture(file: Path, like: ModelCard, why: str) -> InvalidRequest:
    return InvalidRequest(
        f"“{file.name}” is no transformer like that of {like.title}: {why}.",
        "Name a model of the same architecture and size with --like.",
        "file",
    )


def _require_room(transformer: nn.Module, base: Path, models: Path) -> None:
    """Says before anything is written that the disk is too small. Parts that are linked take nothing."""
    needed = sum(one.numel() * one.element_size() for one in transformer.parameters())
    models.mkdir(parents=True, exist_ok=True)
    if os.stat(models).st_dev != os.stat((base / "model_index.json").resolve()).st_dev:
        needed += sum(path.stat().st_size for path in _others(base))
    require_room(needed, models, "The model", "set FRAMEWRIGHT_HOME to a folder on another disk", "file")


def _others(base: Path) -> list[Path]:
    """All files but the transformer's."""
    return [path for path in base.rglob("*") if path.is_file() and path.relative_to(base).parts[0] != "transformer"]


def _take_along(base: Path, folder: Path) -> None:
    for path in _others(base):
        target = folder / path.relative_to(base)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path.resolve(), target)
        except OSError:
            shutil.copyfile(path, target)


def _run(arguments: argparse.Namespace) -> None:
    card = import_single_file(Path(arguments.file), load_catalogue().card(arguments.like), arguments.title)
    print(f"{card.id}: {card.title}, {spoken_bytes(card.size_bytes)}, family {card.family}")


def main(given: Sequence[str] | None = None) -> int:
    """Returns: the exit status, 2 for what cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m engines.backend.single_files", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("file")
    parser.add_argument("--like", required=True, help="id of a model on this machine of the same architecture")
    parser.add_argument("--title", default="", help="as menus show it; default: the file's name")
    arguments = parser.parse_args(given)
    return exit_status(lambda: _run(arguments))


if __name__ == "__main__":
    sys.exit(main())
