"""The loss over the steps of a run, as a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engines.media.contact_sheet import save_picture

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 420, 62, 16, 30, 40
BACKGROUND, GRID, TEXT = (24, 24, 27), (58, 58, 64), (225, 225, 225)
EACH, SMOOTH, BORDER = (92, 110, 140), (120, 190, 255), (150, 130, 80)
SMOOTHING = 0.85  # of a running mean, for batches of different shapes and modes cost differently


def draw_curve(records: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draws the records of a run's log that have a loss: each one, their running mean, and where phases begin.

    Args:
        records: With step, phase and loss, in rising order.

    Raises: ValueError without any such record.
    """
    told = [record for record in records if "loss" in record]
    if not told:
        raise ValueError("a curve needs at least one logged loss")
    steps, losses = [int(record["step"]) for record in told], [float(record["loss"]) for record in told]
    smooth = running_mean(losses)
    # On a logarithmic axis early and late progress are seen alike.
    low, high = math.log(min(losses) * 0.95), math.log(max(losses) * 1.05)
    picture = Image.new("RGB", (WIDTH, HEIGHT), BACKGROUND)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=12)

    def place(step: float, loss: float) -> tuple[float, float]:
        across = (step - steps[0]) / max(1, steps[-1] - steps[0])
        up = (math.log(loss) - low) / (high - low)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    for number in range(5):
        loss = math.exp(low + (high - low) * number / 4)
        draw.line([place(steps[0], loss), place(steps[-1], loss)], fill=GRID)
        draw.text((8, place(0, loss)[1] - 7), f"{loss:.3g}", fill=TEXT, font=font)
        step = steps[0] + (steps[-1] - steps[0]) * number / 4
        draw.text((place(step, loss)[0] - 14, HEIGHT - BOTTOM + 8), f"{step:.0f}", fill=TEXT, font=font)
    for before, record in zip([None, *told], told, strict=False):
        if before is None or before["phase"] != record["phase"]:
            x = place(record["step"], losses[0])[0]
            draw.line([(x, TOP), (x, HEIGHT - BOTTOM)], fill=BORDER)
            name = str(record["phase"])
            draw.text((min(x + 4, WIDTH - 4 - font.getlength(name)), TOP - 16), name, fill=TEXT, font=font)
    for values, colour, width in ((losses, EACH, 1), (smooth, SMOOTH, 2)):
        draw.line([place(*point) for point in zip(steps, values, strict=True)], fill=colour, width=width)
    draw.text((LEFT, HEIGHT - 18), "loss over steps; the bright line is a running mean", fill=TEXT, font=font)
    save_picture(path, np.asarray(picture))


def running_mean(values: Sequence[float]) -> list[float]:
    """Each value mixed with those before it, the first few not held back by a beginning at 0."""
    means, mean, weight = [], 0.0, 0.0
    for value in values:
        mean = SMOOTHING * mean + (1 - SMOOTHING) * value
        weight = SMOOTHING * weight + (1 - SMOOTHING)
        means.append(mean / weight)
    return means
