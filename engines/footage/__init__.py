"""Footage: somebody's own video, read, taken through stages (upscaling, interpolation) and written, chunk by chunk.

Knows files, time and chunks; knows no models and no task. A stage wraps one Footage into another (the tasks do that);
`render` pulls frames out of the last one, a chunk at a time, and goes on at the first missing chunk after a restart.
"""
