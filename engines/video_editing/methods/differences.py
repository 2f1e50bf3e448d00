"""FlowEdit and Uni-Edit: the clip is moved by the difference between what the model says under both prompts.

Where the prompts agree the difference is small, so what the prompts do not speak of stays.
"""

from __future__ import annotations

from engines.inversion.invert import invert
from engines.inversion.velocities import flow_edit, uni_edit
from engines.sampling.loop import sample
from engines.sampling.solvers import Euler
from engines.video_editing.methods.clip_edit import ClipEdit, Edited

SOURCE_SCALE = 1.5  # FlowEdit's guidance of the source prompt (row 62b)
OMEGA = 5.0  # Uni-Edit's strength


def move_by_difference(edit: ClipEdit) -> Edited:
    """FlowEdit (Kulikov et al. 2024, arXiv:2412.08629): no inversion; the state is the clip itself."""
    of_source = edit.velocity(edit.words.source, SOURCE_SCALE)
    of_target = edit.velocity(edit.words.target, edit.how.guidance_scale)
    velocity = flow_edit(edit.clean, of_source, of_target, edit.noise)
    start, sigmas = edit.going_on(edit.clean, edit.sigmas)
    tokens = sample(edit.steered(velocity), start, sigmas, Euler(), on_step=edit.going_down)
    return Edited(tokens, of_source.evaluations + of_target.evaluations)


def weigh_difference(edit: ClipEdit) -> Edited:
    """Uni-Edit (Jiao et al. 2025, arXiv:2504.13109): up by Uni-Inv without words, down by the weighed difference."""
    up, of_source, of_target = (
        edit.velocity(prompt) for prompt in (edit.words.empty, edit.words.source, edit.words.target)
    )
    made = invert(up, edit.clean, edit.inverted_sigmas, "uni_inv", edit.first_noise, on_step=edit.going_up)
    velocity = uni_edit(of_source, of_target, OMEGA)
    start, sigmas = edit.going_on(made.top, made.sigmas)
    tokens = sample(edit.steered(velocity), start, sigmas, made.back, on_step=edit.going_down)
    return Edited(tokens, up.evaluations + of_source.evaluations + of_target.evaluations, made.top)
