"""From a clip back to the noise that it could have come from, and ways to edit that need no such noise.

Knows the sampling loop, velocities and tensors. Must not know tasks, prompts' meaning, files or the studio.
"""
