"""Who a browser or a client is, for the job store."""

from __future__ import annotations

import gradio as gr

from studio.visitor import visitor_owner

LOCAL_OWNER = "local"


def is_visitor(request: gr.Request | None) -> bool:
    """Whether this is a stranger, in public mode without a login."""
    scope = request.request.scope if request is not None and request.request is not None else {}
    return visitor_owner(scope, None) is not None


def owner_of(request: gr.Request | None) -> str:
    """The login's name; in public mode a random visitor; "local" on a person's own computer without login."""
    if request is None:
        return LOCAL_OWNER
    if request.username:
        return str(request.username)
    scope = request.request.scope if request.request is not None else {}
    return visitor_owner(scope, request.session_hash) or LOCAL_OWNER
