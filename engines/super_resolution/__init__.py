"""Super-resolution: footage made larger. Networks by tiles, back-projection, denoising and steadiness along flow.

Knows its networks, one frame and its neighbours; files, time and chunks are engines.footage's. `request` and `check`
leave torch unloaded.
"""
