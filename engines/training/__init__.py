"""Pretraining of the bundled model: data caches, fast forward, optimiser, resumable runs."""
