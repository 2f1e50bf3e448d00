"""Upscale, then interpolate, then encode: the super-resolution task with a frame rate to choose."""
