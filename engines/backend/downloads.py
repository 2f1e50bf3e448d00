"""Brings a model of the catalogue onto this machine: python -m engines.backend.downloads MODEL [--yes]

Says first whose licence it is under, how much is to be fetched and whether it fits; then fetches, going on where an
earlier attempt stopped, and compares every weight file with its hash. Nothing of this happens at import or by itself.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from engines.backend.catalogue import HubSource, ModelCard, load_catalogue
from engines.backend.download_progress import telling
from engines.backend.model_files import HUB_PATTERNS, PICKLED, is_available
from engines.byte_sizes import spoken_bytes
from engines.command_line import exit_status
from engines.errors import InvalidRequest, NotAvailable
from engines.free_disk import free_bytes, require_room

T = TypeVar("T")


@dataclass(frozen=True)
class DownloadPlan:
    """What a download would do.

    Attributes:
        files: (name, bytes) of everything that the model consists of.
        missing_bytes: What is not on this machine yet.
        folder: The hub's cache.
        free_bytes: Of its disk.
    """

    card: ModelCard
    files: tuple[tuple[str, int], ...]
    missing_bytes: int
    folder: Path
    free_bytes: int

    @property
    def repositories(self) -> tuple[Path, ...]:
        """Their folders in the cache."""
        from huggingface_hub.file_download import repo_folder_name

        return tuple(
            self.folder / repo_folder_name(repo_id=wanted.source.repo, repo_type="model")
            for wanted in _wanted(self.card)
        )

    @property
    def total_bytes(self) -> int:
        return sum(size for _, size in self.files)

    def sentences(self) -> list[str]:
        """The licence first."""
        card = self.card
        repositories = " and ".join(f"{wanted.source.repo} at {wanted.source.revision}" for wanted in _wanted(card))
        return [
            f"{card.title} is under the licence {card.licence}: {card.licence_url}",
            *(f"Its {lora.file} is under the licence {lora.licence}: {lora.licence_url}" for lora in card.loras),
            f"{len(self.files)} files of {repositories}, {spoken_bytes(self.total_bytes)}; "
            f"{spoken_bytes(self.missing_bytes)} are to be fetched into {self.folder}, "
            f"{spoken_bytes(self.free_bytes)} are free there.",
        ]


def plan_download(card: ModelCard, cache: Path | None = None, endpoint: str | None = None) -> DownloadPlan:
    """Asks the hub; fetches nothing.

    Args:
        cache: The hub's cache; None for the usual one.
        endpoint: The hub's address; None for the usual one.

    Raises: InvalidRequest for a model that is not on the hub; NotAvailable (field model) if the hub cannot be reached
        or does not give the files.
    """
    from huggingface_hub import HfApi, constants, snapshot_download

    folder, files, missing = Path(cache or constants.HF_HUB_CACHE), list[tuple[str, int]](), 0
    for wanted in _wanted(card):
        # First, because a dry run hides why it failed.
        source, arguments = wanted.source, wanted.arguments(folder, endpoint)
        _asked(source, card, partial(HfApi(endpoint=endpoint).model_info, source.repo, revision=source.revision))
        found: Any = _asked(source, card, partial(snapshot_download, **arguments, dry_run=True))
        if not any(file.filename == wanted.must_have for file in found):
            raise NotAvailable(
                f"{source.repo} at {source.revision} has no {wanted.must_have}, as {card.title} needs.",
                "Choose another revision or another model.",
                field="model",
            )
        files += [(str(file.filename), int(file.file_size)) for file in found]
        missing += sum(int(file.file_size) for file in found if file.will_download)
    return DownloadPlan(card, tuple(files), missing, folder, free_bytes(folder))


def download(plan: DownloadPlan, endpoint: str | None = None) -> Path:
    """Fetches what is missing. Returns: the model's folder.

    Raises: ResourceError if the disk is too small; NotAvailable if the hub stops giving or a file is not what it should
        be (it is removed then; calling again fetches it anew).
    """
    from huggingface_hub import snapshot_download

    require_room(
        plan.missing_bytes, plan.folder, f"What is missing of {plan.card.title}",
        "set HF_HOME to a folder on another disk", "model", plan.free_bytes,
    )  # fmt: skip
    folders = []
    for wanted in _wanted(plan.card):
        arguments = wanted.arguments(plan.folder, endpoint)
        folders.append(Path(_asked(wanted.source, plan.card, partial(snapshot_download, **arguments))))
        _compare_hashes(wanted.source, plan.card, folders[-1], endpoint)
    return folders[0]


@dataclass(frozen=True)
class _Wanted:
    """What of one repository is wanted, and the file without which the rest is of no use."""

    source: HubSource
    patterns: tuple[str, ...]
    must_have: str

    def arguments(self, cache: Path, endpoint: str | None) -> dict[str, Any]:
        return {
            "repo_id": self.source.repo, "revision": self.source.revision, "allow_patterns": list(self.patterns),
            "ignore_patterns": list(PICKLED), "cache_dir": cache, "endpoint": endpoint,
        }  # fmt: skip


def _wanted(card: ModelCard) -> list[_Wanted]:
    """The checkpoint first. Raises: InvalidRequest for one that is not on the hub."""
    if not isinstance(card.source, HubSource):
        raise InvalidRequest(f"{card.title} is not on the hub; it is here already.", "Choose another model.", "model")
    loras = [(lora.source, lora.file) for lora in card.loras]
    return [
        _Wanted(card.source, HUB_PATTERNS, "model_index.json"),
        *(_Wanted(source, (file,), file) for source, file in loras if isinstance(source, HubSource)),
    ]


def _compare_hashes(source: HubSource, card: ModelCard, folder: Path, endpoint: str | None) -> None:
    """The hub knows the SHA-256 of large files; a snapshot's folder is named after its commit."""
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint)
    listed = _asked(source, card, lambda: list(api.list_repo_tree(source.repo, recursive=True, revision=folder.name)))
    for entry in listed:
        path, lfs = folder / entry.path, getattr(entry, "lfs", None)
        if lfs is None or not path.is_file():
            continue
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != lfs.sha256:
            path.resolve().unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise NotAvailable(
                f"{entry.path} of {card.title} is damaged: its checksum is {found[:12]}…, not {lfs.sha256[:12]}….",
                "Start the download again; only this file is fetched anew.",
                field="model",
            )


def _asked(source: HubSource, card: ModelCard, ask: Callable[[], T]) -> T:
    """The hub's answer; what it refuses, in words."""
    from huggingface_hub import errors

    try:
        return ask()
    except errors.GatedRepoError as error:
        raise NotAvailable(
            f"{source.repo} asks you to agree to its terms first.",
            f"Agree at https://huggingface.co/{source.repo}, log in with `hf auth login`, and try again.",
            field="model",
        ) from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise NotAvailable(
            f"The hub has no {source.repo} at {source.revision}, or it is private.",
            "Log in with `hf auth login` if it is yours, or choose another model.",
            field="model",
        ) from error
    # HTTPError is that of whichever HTTP library the hub's package uses.
    except (errors.LocalEntryNotFoundError, errors.HTTPError, OSError) as error:  # type: ignore[attr-defined]
        raise NotAvailable(
            f"The hub could not be reached for {card.title} ({type(error).__name__}). What was fetched is kept.",
            "Check the network (and that HF_HUB_OFFLINE is not set), then start again.",
            field="model",
        ) from error


def _run(model: str, agreed: bool, tells: bool) -> None:
    card = load_catalogue().card(model)
    if is_available(card):
        print(f"{card.title} is on this machine.")
        return
    plan = plan_download(card)
    print("\n".join(plan.sentences()))
    if agreed or input("Do you agree to the licence, and shall it be fetched? [y/N] ").strip().lower() in ("y", "yes"):
        with telling(plan.repositories, lambda fetched: _tell(fetched, plan)) if tells else nullcontext():
            print(download(plan))


def _tell(fetched: int, plan: DownloadPlan) -> None:
    print(json.dumps({"fetched": fetched, "missing": plan.missing_bytes}), flush=True)


def main(given: Sequence[str] | None = None) -> int:
    """Returns: the exit status, 2 for what cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m engines.backend.downloads", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("model", help="id in the catalogue, such as wan_2_1")
    parser.add_argument("--yes", action="store_true", help="the licence is agreed to; do not ask")
    parser.add_argument("--tell", action="store_true", help="print the bytes that have come, as JSON, every second")
    arguments = parser.parse_args(given)
    return exit_status(lambda: _run(arguments.model, arguments.yes, arguments.tell))


if __name__ == "__main__":
    sys.exit(main())
