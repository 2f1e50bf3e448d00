"""Edits whose outcome is known, because the world can be rendered with the change made: by words, removals, moves."""
