"""One adapter per model family over diffusers' model classes; all speak the one flow convention."""
