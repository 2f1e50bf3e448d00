"""Video autoencoders of our own, in diffusers' ModelMixin form. Knows torch and diffusers; knows no family and no task."""
