"""Which size and length a shot is trained at: one shape per batch, so every clip belongs to a bucket (rows 14, 51)."""

from __future__ import annotations

from dataclasses import dataclass

from engines.training.curation.rules import Rules
from engines.training.curation.shots import Shot


@dataclass(frozen=True)
class Bucket:
    """frames × height × width of a training clip."""

    frames: int
    height: int
    width: int

    @property
    def name(self) -> str:
        return f"{self.frames}x{self.height}x{self.width}"


def cropped_share(height: int, width: int, size: tuple[int, int]) -> float:
    """Part of the picture that is lost when it is scaled to fill `size` (height, width) and cut: 0 … 1."""
    ratio = (width / height) / (size[1] / size[0])
    return 1 - min(ratio, 1 / ratio)


def best_size(height: int, width: int, rules: Rules) -> tuple[int, int] | None:
    """(height, width) of the bucket that loses least of the picture; None if all lose too much."""
    best = min(rules.sizes, key=lambda size: cropped_share(height, width, size))
    return best if cropped_share(height, width, best) <= rules.most_cropped else None


def windows(shot: Shot, rules: Rules) -> list[Shot]:
    """Clips of the greatest length that the shot holds, side by side and spread evenly over it; none if it is short."""
    fitting = [length for length in rules.lengths if length <= shot.length]
    if not fitting:
        return []
    length = max(fitting)
    count = min(rules.windows_per_shot, shot.length // length)
    spare = shot.length - count * length
    firsts = [shot.first + number * length + spare * (number + 1) // (count + 1) for number in range(count)]
    return [Shot(first, first + length) for first in firsts]
