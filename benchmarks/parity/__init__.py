"""Our loop against diffusers' pipelines on small random checkpoints of the same classes."""
