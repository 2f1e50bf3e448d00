"""What benchmarks.super_resolution is made of: clips, degradation, baselines. A folder, so that no benchmark."""
