"""Framewright's engines: a library that turns requests into results.

Knows models, media and mathematics. Must not know gradio, the studio, tabs or job stores.
"""

__version__ = "0.1.0"
