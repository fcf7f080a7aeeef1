"""A web server on this machine that serves one file, with or without ranges, and can fail as real ones do."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Server:
    """files  path -> bytes; asked  (path, Range header) of each request; sent  bytes of all answers' bodies.

    drops  after how many bytes each of the next connections is cut; errors  HTTP errors of the next answers
    """

    files: dict[str, bytes]
    ranges: bool = True
    drops: list[int] = field(default_factory=list)
    errors: list[int] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    sent: int = 0
    address: str = ""

    def url(self, path: str) -> str:
        return f"http://{self.address}/{path}"

    @property
    def wanted(self) -> list[str | None]:
        """The ranges that were asked for."""
        return [header for _, header in self.asked]


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Run the server in a thread."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, server)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.address = f"127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


def _answer(request: BaseHTTPRequestHandler, server: Server) -> None:
    header = request.headers.get("Range")
    name = request.path.lstrip("/")
    server.asked.append((name, header))
    data = server.files.get(name)
    if server.errors or data is None:
        request.send_error(server.errors.pop(0) if server.errors else 404)
        return
    match = re.fullmatch(r"bytes=(\d+)-", header or "")
    start = int(match[1]) if match and server.ranges else 0
    if start and start >= len(data):
        request.send_response(416)
        request.send_header("Content-Range", f"bytes */{len(data)}")
        request.end_headers()
        return
    request.send_response(206 if match and server.ranges else 200)
    if match and server.ranges:
        request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
    request.send_header("Content-Length", str(len(data) - start))
    request.end_headers()
    body = data[start:]
    if server.drops:
        body = body[: server.drops.pop(0)]
    server.sent += len(body)  # before the client, who asks for it, has the last byte
    request.wfile.write(body)
