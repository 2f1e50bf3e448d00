"""What benchmarks.control measures: clips that follow edges, depth or a mask."""
