"""The render queue: a SQLite store, a supervisor and a worker process. Knows no gradio."""
