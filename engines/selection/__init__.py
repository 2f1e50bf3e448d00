"""Which pixels of a clip are meant: people, what was clicked, boxed or brushed, or a mask that somebody brought.

Knows frames, their motion and their edges; a selection gives, by number, a matte for each frame of some footage.
Must not know what a selection is for (editing, try-on, a task), any diffusion model, torch or the studio.
"""
