"""A hub of one repository on this machine, as far as huggingface_hub's snapshot_download asks for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

COMMIT = "a" * 40


@dataclass
class FakeHub:
    """Serves a folder as one repository.

    Attributes:
        repository, revision: What it is asked for by.
        address: http://127.0.0.1:PORT.
        fetched: (name, first byte) of every file that was asked for whole or in part.
        gated: Answers as for a repository whose terms were not agreed to.
        breaks_at: File → bytes after which the connection is cut, once.
        spoilt: Files of which other bytes are given than the tree's hash says.
    """

    folder: Path
    repository: str = "acme/tiny"
    revision: str = "main"
    address: str = ""
    fetched: list[tuple[str, int]] = field(default_factory=list)
    gated: bool = False
    breaks_at: dict[str, int] = field(default_factory=dict)
    spoilt: set[str] = field(default_factory=set)

    def names(self) -> list[str]:
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())

    def tree(self) -> list[dict[str, object]]:
        entries = []
        for name in self.names():
            data = (self.folder / name).read_bytes()
            entry: dict[str, object] = {
                "type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest(),
            }  # fmt: skip
            if name.endswith(".safetensors"):
                entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 1}
            entries.append(entry)
        return entries


@contextmanager
def serving(folder: Path, repository: str = "acme/tiny", revision: str = "main") -> Iterator[FakeHub]:
    """Runs until the block is left."""
    hub = FakeHub(folder, repository, revision)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path, repository = self.path.split("?")[0], self.hub.repository
        if self.hub.gated:
            self._send(403, b"{}", {"X-Error-Code": "GatedRepo", "X-Error-Message": "agree first"})
        elif path in [f"/api/models/{repository}/revision/{one}" for one in (COMMIT, self.hub.revision)]:
            siblings = [{"rfilename": name} for name in self.hub.names()]
            self._send(200, json.dumps({"id": repository, "sha": COMMIT, "siblings": siblings}).encode())
        elif path.startswith(f"/api/models/{repository}/tree/"):
            self._send(200, json.dumps(self.hub.tree()).encode())
        elif path.startswith(f"/{repository}/resolve/"):
            self._file(path.split("/", 5)[5])
        else:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _file(self, name: str) -> None:
        data = (self.hub.folder / name).read_bytes()
        tag = hashlib.sha256(data).hexdigest()
        if name in self.hub.spoilt:
            data = bytes(reversed(data))
        first = int(self.headers.get("Range", "bytes=0-").split("=")[1].split("-")[0])
        if self.command == "GET":
            self.hub.fetched.append((name, first))
        headers = {"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if first:
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        cut = self.hub.breaks_at.pop(name, None) if self.command == "GET" else None
        self._send(206 if first else 200, data[first:], headers, cut)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None, cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:cut])
        if cut is not None:
            self.close_connection = True
