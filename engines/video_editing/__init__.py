"""The video-editing task: request, engine and the ways to edit. Knows inversion, conditioning, selection and footage.

Must not know other tasks, the studio or training.
"""
