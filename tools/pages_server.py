"""A static server like GitHub Pages: gzip, a sub-path, folders redirect to their slash, 404.html for the rest."""

import contextlib
import gzip
import http.server
import mimetypes
import threading
import urllib.parse
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TEXT = ("text/", "application/javascript", "application/json", "application/xml", "image/svg+xml")
LEVEL = 6  # what Pages' servers use


@cache
def _body(path: Path, changed: int, zipped: bool) -> bytes:
    data = path.read_bytes()
    return gzip.compress(data, LEVEL) if zipped else data


def handler(root: Path, base: str, log: list, extra: dict[str, str]) -> type[http.server.BaseHTTPRequestHandler]:
    """A request handler for the files below `root`, published below `base` ('/' or '/name/').

    Each answer is noted in `log` as (path below base, bytes of the body as sent), and carries the `extra` headers.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
            status, file = 404, root / "404.html"
            if address.startswith(base):
                wanted = (root / address[len(base) :]).resolve()
                if wanted.is_relative_to(root):
                    if wanted.is_dir() and not address.endswith("/"):
                        self._send(301, b"", "text/html", Location=address + "/")
                        return
                    wanted = wanted / "index.html" if wanted.is_dir() else wanted
                    if wanted.is_file():
                        status, file = 200, wanted
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            zipped = kind.startswith(TEXT) and "gzip" in self.headers.get("Accept-Encoding", "")
            headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"} if zipped else {}
            self._send(status, _body(file, file.stat().st_mtime_ns, zipped), kind, **headers)

        do_HEAD = do_GET

        def _send(self, status: int, body: bytes, kind: str, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind + ("; charset=utf-8" if kind.startswith(TEXT[:3]) else ""))
            self.send_header("Cache-Control", "max-age=600")
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers | extra).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                log.append((self.path.removeprefix(base), len(body)))
                self.wfile.write(body)

        def log_message(self, *_) -> None:
            pass

    return Handler


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address) -> None:
        pass  # a browser that closes a page early is no error


@contextlib.contextmanager
def serving(
    root: Path, base: str = "/alx-project-nexus/", log: list | None = None, headers: dict[str, str] | None = None
) -> Iterator[str]:
    """Serve a built site on a free port of 127.0.0.1 for the length of a with block; gives its address."""
    with _Server(("127.0.0.1", 0), handler(root.resolve(), base, [] if log is None else log, headers or {})) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{base}"
        finally:
            server.shutdown()
