"""Video autoencoders of our own in diffusers' ModelMixin form. Knows torch and diffusers; no family, no task."""
