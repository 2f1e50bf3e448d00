"""Random scenes with their captions on one picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engines.diorama.theatre.captions import caption
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import random_scene
from engines.media.contact_sheet import contact_sheet

SCENES, COLUMNS, FRAMES_PER_SCENE = 20, 4, 3


def scene_sheet(seed: int) -> npt.NDArray[np.uint8]:
    """uint8 [rows, columns, 3]."""
    random = np.random.default_rng(seed)
    specs = [random_scene(random) for _ in range(SCENES)]
    clips = [render_scene(spec).frames for spec in specs]
    labels = [caption(spec, random).text for spec in specs]
    return contact_sheet(clips, COLUMNS, labels, FRAMES_PER_SCENE)
