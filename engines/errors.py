"""The error tree, whole.

FramewrightError
├── UserError(message, fix, field)     shown to the person as it is
│   ├── InvalidRequest                 a field's value is not allowed
│   ├── MediaError                     a file cannot be read or written as media
│   ├── LimitExceeded                  the input is larger than what is allowed
│   ├── ResourceError                  memory, disk or a folder's permissions do not suffice
│   └── NotAvailable                   a model, package or job that is not here
├── Cancelled                          the person stopped the job
└── Paused                             the person wants the job to wait; its finished chunks are kept

Anything else that is raised is a bug and is logged whole.
"""

from __future__ import annotations


class FramewrightError(Exception):
    """Root of everything that Framewright raises on purpose."""


class Cancelled(FramewrightError):
    """The cancel token was set; nothing failed."""


class Paused(FramewrightError):
    """The person wants the job to wait at this chunk border; nothing failed."""


class UserError(FramewrightError):
    """Something that the person can mend.

    Args:
        message: What happened, naming the value and what is allowed.
        fix: What to do, as an instruction.
        field: Name of the request field that it is about, None if there is none.
    """

    code = "user_error"

    def __init__(self, message: str, fix: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.field = field

    def as_data(self) -> dict[str, str | None]:
        """The error as it travels through the API and the job store."""
        return {"code": self.code, "field": self.field, "message": self.message, "fix": self.fix}

    def __str__(self) -> str:
        return f"{self.message} {self.fix}"


class InvalidRequest(UserError):
    """A field's value is not allowed."""

    code = "invalid_request"


class MediaError(UserError):
    """A file cannot be read or written as video, picture or sound."""

    code = "media_error"


class LimitExceeded(UserError):
    """The input is larger than what this studio accepts."""

    code = "limit_exceeded"


class ResourceError(UserError):
    """Memory, disk or a folder's permissions do not suffice."""

    code = "resource_error"


class NotAvailable(UserError):
    """A model, an optional package or a stored item is not here."""

    code = "not_available"
