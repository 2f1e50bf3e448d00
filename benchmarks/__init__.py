"""Measurements as commands: python -m benchmarks.NAME [--quick] --json FILE. Nothing imports this package."""
