from __future__ import annotations

from engines.composition.finishing.request import REQUEST

__all__ = ["REQUEST"]
