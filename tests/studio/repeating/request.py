from __future__ import annotations

from engines.interpolation.request import REQUEST

__all__ = ["REQUEST"]
