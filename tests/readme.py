"""The README's code blocks, for the tests that run them."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def code_blocks(language: str) -> list[str]:
    """The text of all fenced blocks of a language ("sh", "python", …), in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def client_example() -> str:
    """The gradio_client script, which must work as printed against a studio on 127.0.0.1:7860."""
    found = re.search(
        r"^<!-- client-example -->\n```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    if found is None:
        raise AssertionError("README.md has no python block marked <!-- client-example -->.")
    return found[1]
