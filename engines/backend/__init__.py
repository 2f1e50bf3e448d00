"""Models: catalogue, registry, families, precision. Knows diffusers and torch; knows no task."""
