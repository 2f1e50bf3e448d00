"""RF-Inversion: up, drawn to one noise; down, for the first part drawn back to the clip."""

from __future__ import annotations

from engines.inversion.invert import invert
from engines.inversion.velocities import towards_noise, towards_source
from engines.sampling.loop import sample
from engines.sampling.noise import INITIAL
from engines.sampling.solvers import Euler
from engines.video_editing.methods.clip_edit import ClipEdit, Edited

# Rout et al. 2024, arXiv:2410.10792, table of defaults: γ, η, and the share of the steps that are drawn to the clip.
GAMMA, ETA, STOP = 0.5, 1.0, 0.25


def draw_to_source(edit: ClipEdit) -> Edited:
    """The way up has no words; the way down has the new prompt."""
    up, down = edit.velocity(edit.words.empty), edit.velocity(edit.words.target, edit.how.guidance_scale)
    sigmas = edit.sigmas
    drawn = towards_noise(up, edit.noise(INITIAL), GAMMA)
    made = invert(drawn, edit.clean, sigmas, "euler", on_step=edit.going_up)
    velocity = towards_source(down, edit.clean, ETA, 0.0, STOP, len(sigmas) - 1)
    start, sigmas = edit.going_on(made.top, sigmas)
    tokens = sample(edit.steered(velocity), start, sigmas, Euler(), on_step=edit.going_down)
    return Edited(tokens, up.evaluations + down.evaluations, made.top)
