"""The text-to-video task: request, engine and its own methods. Knows backend, sampling and media; no other task."""
