"""SDEdit: the clip is noised half-way and sampled from there under the new prompt. The plain way, and a baseline.

Meng et al. 2021, arXiv:2108.01073, algorithm 1, with the flow's own noising x_σ = (1 − σ)·x₀ + σ·ε.
"""

from __future__ import annotations

from engines.sampling.loop import sample
from engines.sampling.noise import INITIAL
from engines.sampling.solvers import Euler
from engines.video_editing.methods.clip_edit import ClipEdit, Edited


def noise_and_sample(edit: ClipEdit) -> Edited:
    """Keeps what the noise leaves of the clip: at strength 1 nothing, which is a new clip from the new prompt."""
    sigmas, noise = edit.sigmas, edit.noise
    level = sigmas[0].to(edit.clean)[None, :, None]
    start, sigmas = edit.going_on((1 - level) * edit.clean + level * noise(INITIAL), sigmas)
    velocity = edit.velocity(edit.words.target, edit.how.guidance_scale)
    return Edited(sample(edit.steered(velocity), start, sigmas, Euler(), noise, edit.going_down), velocity.evaluations)
