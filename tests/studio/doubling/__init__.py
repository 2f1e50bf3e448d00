"""A footage task without a model, in the place of super-resolution: it doubles every frame, and can be slow.

For tests of what all tabs and endpoints about footage share. `registered` puts it in place.
"""
