"""There and back again: clips inverted and sampled, by every solver with the same number of model calls."""
