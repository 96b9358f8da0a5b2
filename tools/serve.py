"""The preview: python -m tools.serve (PORT=9000 for another port).

Builds once, serves on 127.0.0.1 and reloads the open browser when a file is saved. A saved page alone is built again
alone; anything else (settings, theme, a new page) builds everything, so that navigation is right. What you see is what
is deployed, the finishing step and its Content-Security-Policy included. What `make check` says of the
Markdown of a saved page is printed after the page is shown.
"""

import contextlib
import errno
import functools
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import yaml
from mkdocs import livereload
from mkdocs.commands.build import build
from mkdocs.config import defaults, load_config
from mkdocs.exceptions import Abort, ConfigurationError
from mkdocs.utils.yaml import get_yaml_loader

from tools import logs, portable
from tools.repository import ROOT, set_environment

HOST = "127.0.0.1"
IGNORED = {"__pycache__", ".git"}
REPORT_AFTER = 0.5  # s after a rebuild; the browser that waits for the page comes first


class Server(livereload.LiveReloadServer):
    """MkDocs' reload server with its script in a file: the policy of the pages forbids inline scripts.

    Overrides two private methods of mkdocs 1.6.1, which is locked; tests/test_serve.py reloads a page in a browser.
    """

    SCRIPT = "/livereload.js"

    def __init__(self, *arguments, ready, **options):
        super().__init__(*arguments, **options)
        self.ready = ready

    def server_activate(self) -> None:
        """Listen, and only then say so: who reads the address may open it at once."""
        super().server_activate()
        self.ready()

    def _inject_js_into_html(self, content: bytes, epoch: int) -> bytes:
        head, end, tail = content.rpartition(b"</body>")
        tag = f'<script src="{self.SCRIPT}?{epoch}"></script>'.encode()
        return head + tag + end + tail if end else content

    def _serve_request(self, environ, start_response):
        if environ["PATH_INFO"] == self.SCRIPT:
            epoch = environ["QUERY_STRING"] if environ["QUERY_STRING"].isdigit() else "0"
            script = livereload._SCRIPT_TEMPLATE.substitute(epoch=epoch, request_id=time.monotonic_ns())
            script = script.replace("console.log('Enabled live reload');", "")
            start_response("200 OK", [("Content-Type", "application/javascript"), ("Cache-Control", "no-store")])
            return [script.encode()]
        return super()._serve_request(environ, start_response)


def snapshot(folders: list[Path]) -> dict[str, int]:
    """{path: time of the last change in ns} of every file below the folders."""
    found: dict[str, int] = {}
    stack = [str(folder) for folder in folders]
    while stack:
        path = stack.pop()
        try:
            if os.path.isfile(path):
                found[path] = os.stat(path).st_mtime_ns
                continue
            for entry in os.scandir(path):
                if entry.name in IGNORED:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                else:
                    found[entry.path] = entry.stat(follow_symlinks=False).st_mtime_ns
        except FileNotFoundError:
            pass  # an editor replaces a file by another; the next look sees it
    return found


class Preview:
    """Builds the site into a temporary folder, whole or the changed pages only."""

    def __init__(self, config_file: Path, site_dir: Path, url: str):
        self.config_file, self.site_dir, self.url = config_file, site_dir, url
        root = config_file.parent
        self.watched = [root / "docs", root / "overrides", config_file]
        self.seen = self.looked = snapshot(self.watched)  # before the build, so that no save is missed
        self.templates = None  # the theme's, compiled
        self.checking: subprocess.Popen | None = None
        if hasattr(yaml, "CLoader"):  # reads a table of contents of 1,000 lines ten times as fast
            defaults.get_yaml_loader = functools.partial(get_yaml_loader, yaml.CLoader)
        config = self._config()
        # Not dirty: the search plugin's own merge for dirty builds drops the sections of other pages; ours does not.
        config.plugins.on_startup(command="serve", dirty=False)
        self._build(config, dirty=False)

    def _config(self):
        config = load_config(str(self.config_file), site_dir=str(self.site_dir))
        config.site_url = self.url
        make = config.theme.get_env
        config.theme.get_env = lambda: self._environment(make)
        return config

    def _environment(self, make):
        """Compile the theme's templates and list its 14,000 files once: four fifths of the rebuild of a page."""
        if self.templates is None:
            self.templates = make()
            look, found = self.templates.list_templates, []
            self.templates.list_templates = lambda filter_func: found or found.extend(look(None, filter_func)) or found
        return self.templates

    def _build(self, config, *, dirty: bool) -> None:
        build(config, serve_url=self.url, dirty=dirty)

    def rebuild(self) -> None:
        """Build what changed since the last build; keep the last good site when that fails."""
        start = time.perf_counter()
        before, self.seen = self.seen, snapshot(self.watched)
        changed = [path for path, when in self.seen.items() if before.get(path) != when]
        pages_only = set(before) == set(self.seen) and all(path.endswith(".md") for path in changed)
        if not pages_only:
            self.templates = None
        try:
            self._build(self._config(), dirty=pages_only)
        except (Abort, ConfigurationError) as error:
            # The reason is on the line above. Try the same files again with the next save.
            self.seen = before
            print(f"Not rebuilt: {error}", file=sys.stderr)
            return
        pages = [Path(path) for path in changed if path.endswith(".md")]
        later = threading.Timer(REPORT_AFTER, self.report, args=(pages if pages_only else None,))
        later.daemon = True
        later.start()
        what = os.path.relpath(changed[0], self.config_file.parent) if len(changed) == 1 else f"{len(changed)} files"
        print(f"{time.strftime('%H:%M:%S')} rebuilt after a change of {what} in {time.perf_counter() - start:.2f} s")

    def watch(self, server: Server, interval: float) -> None:
        """Have the server rebuild when a file is not what it was at the last look, for ever."""
        while True:
            time.sleep(interval)
            now = snapshot(self.watched)
            if now != self.looked:
                self.looked = now
                with server._rebuild_cond:
                    server._want_rebuild = True
                    server._rebuild_cond.notify_all()

    def report(self, pages: list[Path] | None) -> None:
        """Print what the check says of pages (None: of all), one line each."""
        for problem in self._check_all() if pages is None else portable.check(self.config_file.parent, pages):
            print(problem, file=sys.stderr, flush=True)

    def _check_all(self) -> list[str]:
        """Check all pages in a process that gives way: a thousand take half a minute, and no save waits for it."""
        self.stop()
        command, root = [sys.executable, "-m", "tools.portable"], self.config_file.parent
        # In a session of its own, so that Ctrl-C does not make it print where it was.
        with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
            self.checking = process
            with contextlib.suppress(AttributeError, OSError):  # Windows has no setpriority
                os.setpriority(os.PRIO_PROCESS, process.pid, 10)
            found = process.communicate()[0]
        return found.splitlines() if process.returncode == 1 else []

    def stop(self) -> None:
        """End the check of all pages, if one runs."""
        if self.checking:
            self.checking.terminate()


def port_from_environment() -> int:
    """Read PORT (default 8000). Exits with one line when it is no port."""
    text = os.environ.get("PORT", "8000")
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 65536:
        sys.exit(f"PORT={text} is no port; use a number from 1 to 65535, for example: PORT=9000 make serve")
    return int(text)


def require_free(port: int) -> None:
    """Exit with one line when the port cannot be used, before the seconds of a build are spent."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(os.name != "nt"))
        try:
            probe.bind((HOST, port))
        except PermissionError:
            sys.exit(f"Port {port} needs more rights than you have; use another: PORT=9000 make serve")
        except OSError:
            sys.exit(_taken(port))


def _taken(port: int) -> str:
    return f"Port {port} is taken; stop the other program or use another port: PORT={port + 1} make serve"


def serve(config_file: Path, port: int) -> None:
    """Build and serve until Ctrl-C."""
    url = f"http://{HOST}:{port}/"
    site_dir = Path(tempfile.mkdtemp(prefix="preview-"))
    server = preview = None
    try:
        start = time.perf_counter()
        preview = Preview(config_file, site_dir, url)
        interval = 0.1 if len(preview.seen) < 300 else 0.25  # s; a look at 1,000 files takes 20 ms of CPU
        line = f"Serving {url} (built in {time.perf_counter() - start:.1f} s; Ctrl-C stops)"
        server = Server(preview.rebuild, HOST, port, str(site_dir), ready=lambda: print(line, flush=True))
        server.build_delay = 0.02  # MkDocs waits 0.1 s for more changes; editors write a page at once
        server.error_handler = lambda code: (site_dir / "404.html").read_bytes() if code == 404 else None
        server._watched_paths = {"docs": 1}  # switches its reloading on; we do the watching
        threading.Thread(target=preview.watch, args=(server, interval), daemon=True).start()
        threading.Thread(target=preview.report, args=(None,), daemon=True).start()
        server.serve()
    except KeyboardInterrupt:
        pass
    except (Abort, ConfigurationError) as error:
        sys.exit(f"Not served: {error}")
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.exit(_taken(port))  # while the site was built
    finally:
        if preview:
            preview.stop()
        if server:
            server.shutdown()
        shutil.rmtree(site_dir, ignore_errors=True)


def _stop(*_) -> None:
    raise KeyboardInterrupt


def main() -> None:
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    port = port_from_environment()
    require_free(port)
    set_environment(site_url=False)
    logs.to_stderr()
    logging.getLogger("mkdocs.structure").setLevel(logging.ERROR)  # the check reports links, with their lines
    logging.getLogger("mkdocs.commands.build").setLevel(logging.ERROR)  # it warns of partial builds at each save
    for number in (signal.SIGINT, signal.SIGTERM):  # a script may have started us with SIGINT ignored
        signal.signal(number, _stop)
    serve(ROOT / "mkdocs.yml", port)


if __name__ == "__main__":
    main()
