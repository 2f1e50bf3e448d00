"""Ways to turn a clip's latents into another clip's under another prompt; each is one function of a `ClipEdit`."""
