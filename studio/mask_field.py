"""The place for a mask that somebody brings: a picture, or a video as long as the clip, shown but not cut."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engines.errors import UserError
from engines.media.probe import MediaInfo
from studio.file_field import FileField
from studio.source_player import SourceValue
from studio.source_preview import info_of


class MaskField(FileField):
    """See FileField. It may be a video, which has no in and out points of its own: they would be the clip's."""

    def _usable(self, paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
        usable, reasons = [], []
        for path in paths:
            try:
                info_of(path)
            except UserError as error:
                reasons.append(str(error))
            else:
                usable.append(path)
        return usable[:1], reasons

    def _value(self, infos: Sequence[MediaInfo], place: int, wait_for_copy: bool) -> SourceValue:
        value = super()._value(infos, place, wait_for_copy)
        value["duration"] = 0.0
        return value

    @property
    def _noun(self) -> str:
        return "picture or video"
