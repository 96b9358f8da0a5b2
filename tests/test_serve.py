"""The preview: one line with the address, a saved page reloads, errors are one line and the last good page stays."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest
from conftest import run

from tools.serve import Server


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Preview:
    """A running `python -m tools.serve` and the lines it printed."""

    def __init__(self, project, command=(), **environment):
        self.port = free_port()
        env = os.environ | {"PORT": str(self.port), "PYTHONPATH": str(project), "PYTHONUNBUFFERED": "1"} | environment
        self.process = subprocess.Popen(
            [*command, sys.executable, "-m", "tools.serve"],
            cwd=project,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self.reader = threading.Thread(
            target=lambda: self.lines.extend(iter(self.process.stdout.readline, "")), daemon=True
        )
        self.reader.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def wait_for(self, text: str, after: int = 0) -> str:
        for _ in range(300):
            for line in self.lines[after:]:
                if text in line:
                    return line
            assert self.process.poll() is None or text in "".join(self.lines), "".join(self.lines)
            time.sleep(0.1)
        raise AssertionError(f"no line with {text!r}: {self.lines}")

    def get(self, path: str = "") -> str:
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:
            return answer.read().decode()


@pytest.fixture
def preview(project):
    running = Preview(project)
    running.wait_for("Serving")
    yield running
    running.process.send_signal(signal.SIGINT)
    running.process.wait(timeout=20)
    running.process.stdout.close()


def test_one_line_with_the_address(preview):
    assert len(preview.lines) == 1
    assert re.fullmatch(rf"Serving {preview.url} \(built in [\d.]+ s; Ctrl-C stops\)\n", preview.lines[0])


def test_preview_shows_what_is_deployed(preview):
    page = preview.get("other/")
    assert "Content-Security-Policy" in page and "assets/stylesheets/site." in page
    assert "'unsafe-inline'" not in page.split("script-src")[1].split(";")[0]


def test_address_is_printed_when_the_port_listens(tmp_path):
    said: list[bool] = []
    port = free_port()

    def connect() -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            said.append(True)

    server = Server(lambda: None, "127.0.0.1", port, str(tmp_path), ready=connect)
    try:
        server.server_bind()
        assert said == []
        server.server_activate()
        assert said == [True]
    finally:
        server.server_close()


def test_ctrl_c_stops_quietly_and_leaves_nothing(project):
    running = Preview(project)
    running.wait_for("Serving")
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=20) == 0
    running.reader.join(timeout=5)
    running.process.stdout.close()
    assert len(running.lines) == 1, running.lines


def test_saved_page_reloads_in_the_browser(preview, project, browser):
    page = browser.new_page()
    try:
        violations: list[str] = []
        page.on("console", lambda message: violations.append(message.text) if message.type == "error" else None)
        page.goto(preview.url + "other/")
        (project / "docs/other/README.md").write_text("# Other\n\nThe saved sentence.\n\n## Part\n\nText.\n", "utf-8")
        page.wait_for_selector("text=The saved sentence.", timeout=20_000)
        assert violations == []
    finally:
        page.close()
    assert "rebuilt after a change of docs/other/README.md" in preview.wait_for("rebuilt")
    assert len(preview.lines) == 2, preview.lines


def test_search_and_navigation_stay_right_while_pages_are_saved(preview, project):
    for number in (1, 2):
        mark = len(preview.lines)
        (project / "docs/README.md").write_text(
            f"# Home\n\nHome, edit {number}.\n\nSee [it](other/README.md).\n", "utf-8"
        )
        preview.wait_for("rebuilt", after=mark)
    stub = json.loads(preview.get("search/search_index.json"))
    index = json.loads(preview.get(stub["config"]["index"]))
    texts = {entry["location"]: entry["text"] for entry in index["docs"]}
    assert "edit 2" in texts[""] and "edit 1" not in json.dumps(texts)
    assert "other/" in texts and "other/#part" in texts
    assert len(index["docs"]) == len(texts), "an entry stands twice"
    assert 'href="other/"' in preview.get() and "Content-Security-Policy" in preview.get()
    assert "Home, edit 2." in preview.get("index.md") and "[it](other/index.md)" in preview.get("index.md")
    whole = preview.get("llms-full.txt")
    assert "Home, edit 2." in whole and "edit 1" not in whole and "The second page." in whole
    assert 'property="og:image"' not in preview.get(), "a preview draws pictures that nobody shares"


def test_changed_settings_rebuild_every_page(preview, project):
    config = project / "mkdocs.yml"
    config.write_text(config.read_text("utf-8").replace("- Other:", "- Renamed:"), "utf-8")
    preview.wait_for("rebuilt")
    assert "Renamed" in preview.get() and "Renamed" in preview.get("other/")


def test_new_page_appears_with_its_line_in_the_navigation(preview, project):
    (project / "docs/third").mkdir()
    (project / "docs/third/README.md").write_text("# Third\n\nThe third page.\n", "utf-8")
    config = project / "mkdocs.yml"
    config.write_text(
        config.read_text("utf-8").replace("exclude_docs:", "  - Third: third/README.md\n\nexclude_docs:"), "utf-8"
    )
    preview.wait_for("rebuilt")
    for _ in range(50):
        if "third/" in preview.get():
            break
        time.sleep(0.1)
    assert "third/" in preview.get() and "The third page." in preview.get("third/")


def test_error_while_writing_is_one_line_and_the_next_save_recovers(preview, project):
    page = project / "docs/other/README.md"
    flow = "```mermaid\nflowchart TD\n  accTitle: x\n  accDescr: y\n  A[x] --> B{}\n```\n"
    page.write_text("# Other\n\nBroken.\n\n" + flow.format("["), "utf-8")
    assert "docs/other/README.md:9: " in preview.wait_for("Unterminated")
    preview.wait_for("Not rebuilt")
    assert "Traceback" not in "".join(preview.lines)
    assert "The second page." in preview.get("other/"), "the last good page is gone"
    mark = len(preview.lines)
    page.write_text("# Other\n\nMended.\n\n" + flow.format("[y]"), "utf-8")
    preview.wait_for("rebuilt", after=mark)
    served = preview.get("other/")
    assert "Mended." in served and "<svg" in served and "Content-Security-Policy" in served


def test_saved_page_is_checked(preview, project):
    (project / "docs/other/README.md").write_text("# Other\n\nSaved.\n\n!!! note\n\nSee [x](no.md).\n", "utf-8")
    assert preview.wait_for("!!!").startswith("docs/other/README.md:5: ")
    assert preview.wait_for("no.md").startswith("docs/other/README.md:7: ")
    assert len([line for line in preview.lines if "no.md" in line]) == 1


def test_page_that_is_broken_at_the_start_is_reported(project):
    (project / "docs/other/README.md").write_text("# Other\n\nText.\n\nSee [x](no.md).\n", "utf-8")
    running = Preview(project)
    try:
        assert running.wait_for("no.md").startswith("docs/other/README.md:5: ")
    finally:
        running.process.send_signal(signal.SIGINT)
        running.process.wait(timeout=20)
        running.process.stdout.close()


def test_port_that_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(sys.executable, "-m", "tools.serve", env={"PORT": str(port)})
    assert (done.returncode, done.stderr.strip()) == (
        1,
        f"Port {port} is taken; stop the other program or use another port: PORT={port + 1} make serve",
    )


IGNORING = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]  # how a script starts a job in the background


@pytest.mark.parametrize(("stop", "command"), [(signal.SIGINT, []), (signal.SIGTERM, []), (signal.SIGTERM, IGNORING)])
def test_nothing_is_left_behind(project, tmp_path, stop, command):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    running = Preview(project, command, TMPDIR=str(temporary))
    running.wait_for("Serving")
    assert list(temporary.iterdir()) != []
    running.process.send_signal(stop)
    running.process.wait(timeout=20)
    running.process.stdout.close()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("port", ["http", "0", "70000", "-1", "", "²"])
def test_port_that_is_no_port(port):
    done = run(sys.executable, "-m", "tools.serve", env={"PORT": port})
    assert done.returncode == 1 and "is no port" in done.stderr and done.stderr.count("\n") == 1


def test_broken_settings_at_the_start_are_one_line(project):
    (project / "mkdocs.yml").write_text("site_name: [\n", "utf-8")
    done = run(sys.executable, "-m", "tools.serve", cwd=project, env={"PORT": str(free_port())})
    assert done.returncode == 1 and "Traceback" not in done.stderr and "mkdocs.yml" in done.stderr
