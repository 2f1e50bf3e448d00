"""A text-to-video engine without a model: a square that moves. Importing it puts it in the place of the real engine.

For tests of the page and the API, which are about jobs and not about pictures. The worker imports it through JobQueue's
`modules`; the studio's process keeps the real Request.
"""

from __future__ import annotations

from engines.task import TASKS

TASKS["text_to_video"] = __name__
