"""Parts of benchmarks.interpolation: clips with frames held back, baselines, known cuts."""
