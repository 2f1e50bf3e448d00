"""How every command of ours ends: done, or a sentence about what the person can mend."""

from __future__ import annotations

import sys
from collections.abc import Callable

from engines.errors import UserError

DONE, NOT_AS_ASKED = 0, 2


def exit_status(command: Callable[[], object]) -> int:
    """Runs it. Returns: 0, or 2 with the message on the standard error if it cannot be done as asked."""
    try:
        command()
    except UserError as error:
        print(error, file=sys.stderr)
        return NOT_AS_ASKED
    return DONE
