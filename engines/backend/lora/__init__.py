"""Low-rank weights (LoRA): read from a file in whichever layout, and added beside a model's own."""
