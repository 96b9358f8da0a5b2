"""What else lies below docs: every file there is published as it is, so only kinds that cannot run code are allowed."""

import re
from pathlib import Path

from tools.portable import source
from tools.portable.problem import Problem
from tools.portable.site import SiteSettings

PAGE_FILES = {".md", ".txt", ".py", ".svg", ".png", ".jpg", ".jpeg", ".webp"}
CONTRACT = "openapi.json"  # what an API offers, as data: beside the page that explains it, for programs to fetch
ASSETS = "assets"  # ours, reviewed as code: stylesheets and scripts live here and nowhere else
ASSET_FILES = PAGE_FILES | {".css", ".js", ".json"}
MOST = 2_000_000  # bytes of one file
MOST_QUESTIONS = 200  # lines of a questions.txt; readers of one page ask the same again
QUESTIONS = "questions.txt"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*|README\.md")  # an address on every system, with nothing to quote or to encode
DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)")  # files that Windows does not let anybody make
ACTIVE = re.compile(
    r"<\s*(?:[\w-]+:)?(?:script|foreignObject|iframe|embed|object|handler|listener)\b|\son\w+\s*=|<!ENTITY|<\?xml-stylesheet"
    r"|(?:href|src)\s*=\s*[\"']?\s*(?!#|data:image/|[\"'])[^\"'\s>]+|@import|url\(\s*[\"']?\s*(?!#|data:)[\w/]",
    re.I,
)
NAMESPACE = re.compile(r"\sxmlns(?::\w+)?=\"[^\"]*\"")


def check(settings: SiteSettings, folder: Path | None = None) -> list[Problem]:
    """Report files that the site must not publish: active content, links out of docs, too large ones.

    folder is one below docs whose own files are looked at; None means all files below docs.
    """
    problems = []
    for path in sorted(folder.glob("*") if folder else settings.docs.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        if settings.published(path):
            problems += _file(path, settings)
    return problems


def _file(path: Path, settings: SiteSettings) -> list[Problem]:
    root = settings.docs.parent
    name, inside = path.relative_to(root).as_posix(), path.relative_to(settings.docs)
    if path.is_symlink():
        return [Problem(name, 1, "file", "a symbolic link is not published alike everywhere", "copy the file")]
    if wrong := next((part for part in inside.parts if not NAME.fullmatch(part) or DEVICES.match(part)), None):
        fix = "rename it: small letters a to z, digits, '-', '_' and '.'"
        fix = "choose another name" if DEVICES.match(wrong) else fix
        return [Problem(name, 1, "file", f"'{wrong}' is no name that works on every system", fix)]
    allowed = ASSET_FILES if inside.parts[0] == ASSETS else PAGE_FILES
    if path.suffix.lower() not in allowed and path.name != CONTRACT:
        kinds = ", ".join(sorted(PAGE_FILES))
        return [
            Problem(name, 1, "file", f"a '{path.suffix or path.name}' file is not published", f"use one of {kinds}")
        ]
    if path.stat().st_size > MOST:
        size = f"{path.stat().st_size / 1e6:.1f} MB"
        return [Problem(name, 1, "file", f"the file has {size}", f"make it smaller than {MOST // 1_000_000} MB")]
    if path.suffix.lower() == ".svg":
        return _svg(path, name)
    return _text(path, name) if path.suffix in (".txt", ".py") else []


def _text(path: Path, name: str) -> list[Problem]:
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return [Problem(name, line, "file", f"byte 0x{data[error.start]:02x} is not UTF-8", "save the file as UTF-8")]
    if found := source.CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        message = f"the line holds the control character U+{ord(found[0]):04X}"
        return [Problem(name, line, "file", message, "delete it")]
    if path.name == QUESTIONS and text.count("\n") > MOST_QUESTIONS:
        message = f"the file has {text.count(chr(10))} lines, {MOST_QUESTIONS} at most are allowed"
        return [Problem(name, MOST_QUESTIONS + 1, "file", message, "keep the questions that differ most")]
    return []


def _svg(path: Path, name: str) -> list[Problem]:
    text = NAMESPACE.sub("", path.read_text("utf-8", errors="replace"))
    found = ACTIVE.search(text)
    if not found:
        return []
    line = text[: found.start()].count("\n") + 1
    what = " ".join(found[0].split())[:40]
    fix = "export it as a plain SVG without scripts, handlers and outside addresses"
    return [Problem(name, line, "file", f"the picture holds '{what}', which could run or load something", fix)]
