"""UserError → a message beside the field it is about; a toast only for what has no field on the page."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import gradio as gr

from engines.errors import UserError

if TYPE_CHECKING:
    from studio.form import Form


def error_updates(form: Form, error: UserError) -> dict[Any, Any]:
    """Updates of the form's components that show the error.

    A field's help line gives way to the message and the fix until the field is edited again. What has no field on the
    page becomes a toast. (Gradio 6.31's page shows no titles of toasts.)
    """
    if error.field is None or error.field not in form.components:
        toast(error)
        return form.without_errors()
    return form.with_error(error.field, str(error))


def toast(error: UserError) -> dict[Any, Any]:
    """Shows an error that is about no field of a form; changes nothing on the page."""
    gr.Warning(html.escape(str(error)))
    skipped: dict[Any, Any] = gr.skip()
    return skipped


def stored_error_sentence(error: dict[str, Any] | None) -> tuple[str, str]:
    """(what happened, what to do) of an error as the job store keeps it."""
    if not error:
        return "The render stopped without a message.", "Retry it. If it stops again, look into the log."
    return str(error.get("message") or "The render failed."), str(error.get("fix") or "")
