"""A text-to-video engine without a model: a square that moves.

For tests of the page and the API, which are about jobs and not about pictures. Importing `registered` puts it in the
place of the real engine; the worker does so through JobQueue's `modules`. The studio's process keeps the real Request.
"""
