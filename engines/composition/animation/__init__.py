"""Pictures that start to move, and are finished: larger and smoother."""
