"""What benchmarks share beside the report itself: remembered rows, versions, timing. A folder, so that no benchmark."""
