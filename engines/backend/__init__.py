"""Models: catalogue, registry, families, precision. Knows diffusers and torch; knows no task."""

from engines.backend.torchvision_guard import hide_broken_torchvision

# Before anything below imports diffusers or transformers: a torchvision that cannot load would take them down with it.
hide_broken_torchvision()
