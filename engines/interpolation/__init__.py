"""Interpolation: frames between the frames. RIFE's flow network, cuts, duplicates, and confidence where flow fails.

Knows its network and a few frames around a moment; files, time and chunks are engines.footage's. `request` and `check`
leave torch unloaded.
"""
