"""Held-out scenes, what the bundled model makes of their captions, and what judges say of it."""
