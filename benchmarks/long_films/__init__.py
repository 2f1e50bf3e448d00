"""Parts of benchmarks.long_video: films of held-out scenes, every way, and what is measured on them."""
