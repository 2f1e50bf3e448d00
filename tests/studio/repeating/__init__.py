"""A footage task without a model, in the place of interpolation: it shows every frame twice.

`registered` puts it in place.
"""
