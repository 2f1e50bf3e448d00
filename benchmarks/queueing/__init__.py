"""A real studio under fire: its processes started, asked, watched and killed from outside, as fate does it."""
