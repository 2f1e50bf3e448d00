"""How the page's own events are wired. All are hidden from the API."""

from __future__ import annotations

from typing import Any

# For clicks that may end in a toast: Gradio brings toasts only with events of its queue.
HIDDEN: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None, "api_visibility": "private"}

# For everything that may happen while another event is on its way: ticks, edits, loading. Gradio 6.31's browser client
# opens two streams when two queued events meet and loses what came on one of them; the timer then waits for its answer
# for ever and the page stands still (seen in every seventh run of the browser test on a busy machine). Without the
# queue each event has its own answer.
BESIDE_THE_QUEUE: dict[str, Any] = {**HIDDEN, "queue": False}
