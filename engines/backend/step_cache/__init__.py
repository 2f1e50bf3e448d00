"""Reusing what changes little from one denoising step to the next."""
