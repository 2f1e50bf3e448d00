from __future__ import annotations

from engines.text_to_video.request import REQUEST

__all__ = ["REQUEST"]
