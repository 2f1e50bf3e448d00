"""Starts the studio: reads the command line, prepares the environment, opens the page. `python app.py` calls main().

Gradio reads its environment when it is imported, so nothing here imports it at the top.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from engines.errors import InvalidRequest, UserError
from studio.home import SPACE_VARIABLE, studio_home
from studio.jobs.queue import JobQueue

LOOPBACK = ("127.0.0.1", "localhost", "::1")
LOGIN_VARIABLE = "FRAMEWRIGHT_LOGIN"
LARGEST_UPLOAD = "200mb"


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="framewright", description="Opens the Framewright studio in the browser.")
    parser.add_argument("--host", default=None, help="Address to listen on. Default: 127.0.0.1, this computer only.")
    parser.add_argument("--port", type=int, default=None, help="Port. Default: the first free one from 7860 on.")
    parser.add_argument(
        "--public-without-login",
        action="store_true",
        help=f"Listen for other computers although no login is set ({LOGIN_VARIABLE}=name:password sets one).",
    )
    return parser.parse_args(arguments)


def login_from_environment() -> tuple[str, str] | None:
    """(name, password) from FRAMEWRIGHT_LOGIN, None if it is not set. Raises: InvalidRequest if it has no colon."""
    given = os.environ.get(LOGIN_VARIABLE, "")
    if not given:
        return None
    name, colon, password = given.partition(":")
    if not (name and colon and password):
        raise InvalidRequest(
            f"{LOGIN_VARIABLE} is not of the form name:password.",
            f"Set {LOGIN_VARIABLE}=name:password, or unset it.",
            field="login",
        )
    return name, password


def choose_host(given: str | None, has_login: bool, forced: bool) -> str:
    """Address to listen on.

    GRADIO_SERVER_NAME, which hosting services set, counts as forced.

    Raises: InvalidRequest if other computers could come in, there is no login, and it was not forced.
    """
    hosted = os.environ.get("GRADIO_SERVER_NAME", "")
    host = given or hosted or LOOPBACK[0]
    if host in LOOPBACK or has_login or forced or (given is None and hosted):
        return host
    raise InvalidRequest(
        f"Listening on {host} without a login would let every computer of the network use this studio.",
        f"Set {LOGIN_VARIABLE}=name:password, or add --public-without-login if that is what you want.",
        field="host",
    )


def is_public(host: str, has_login: bool) -> bool:
    """Whether strangers may use this studio side by side: no login, and others can reach it or a service hosts it."""
    hosted = bool(os.environ.get("GRADIO_SERVER_NAME") or os.environ.get(SPACE_VARIABLE))
    return not has_login and (hosted or host not in LOOPBACK)


def prepare_environment(home: Path) -> None:
    """No telemetry, no call to the hub, and Gradio's copies of files inside the studio's folder."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(home / "cache")


def import_gradio_offline() -> None:
    """The page must not reach for the hub; the worker process may, when a person asks for a model that is there."""
    before = os.environ.get("HF_HUB_OFFLINE")
    os.environ["HF_HUB_OFFLINE"] = "1"
    import gradio  # noqa: F401  huggingface_hub reads the variable now, once

    if before is None:
        del os.environ["HF_HUB_OFFLINE"]
    else:
        os.environ["HF_HUB_OFFLINE"] = before


def serve(queue: JobQueue, host: str, port: int | None, login: tuple[str, str] | None = None) -> None:
    """Shows the page until the process is told to end."""
    prepare_environment(queue.home)
    import_gradio_offline()
    from starlette.middleware import Middleware

    from studio.file_references import RefuseRemoteFiles
    from studio.page import build_page
    from studio.theme import FAVICON, PAGE_SCRIPT, STYLE_SHEET, page_head, page_theme
    from studio.visitor import VisitorCookie

    guards = [Middleware(RefuseRemoteFiles)]
    if is_public(host, login is not None):
        guards.append(Middleware(VisitorCookie, embedded=SPACE_VARIABLE in os.environ))
    page = build_page(queue)
    page.queue(default_concurrency_limit=None)
    page.launch(
        server_name=host,
        server_port=port,
        auth=login,
        share=False,
        theme=page_theme(),
        css_paths=[STYLE_SHEET],
        head=page_head(),
        js=PAGE_SCRIPT.read_text(encoding="utf-8"),
        favicon_path=FAVICON,
        footer_links=["api"],
        ssr_mode=False,
        max_file_size=LARGEST_UPLOAD,
        show_error=True,
        app_kwargs={"middleware": guards},
    )


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the studio. Raises: SystemExit 2 after a message if it cannot start."""
    signal.signal(signal.SIGTERM, _end)
    options = parse_arguments(arguments)
    try:
        login = login_from_environment()
        host = choose_host(options.host, login is not None, options.public_without_login)
        with JobQueue(studio_home()) as queue:
            serve(queue, host, options.port, login)
    except UserError as error:
        print(f"Framewright cannot start. {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
