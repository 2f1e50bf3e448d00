"""A clip that a small model made, finished: larger and smoother, from its frames before they were encoded."""
