"""Who a browser or a client is, for the job store."""

from __future__ import annotations

import gradio as gr

LOCAL_OWNER = "local"


def owner_of(request: gr.Request | None) -> str:
    """The login's name, or "local" where the studio has no login."""
    return (request.username if request is not None else None) or LOCAL_OWNER
