"""The picture of each page for shared links, drawn at build time and kept below .cache by what it shows.

A preview is not shared, and a picture without the site's address cannot be named: both go without.
"""

import hashlib
import os
from importlib.metadata import version
from pathlib import Path

from tools.finish import catalogue
from tools.finish.page import Page

FOLDER = "assets/cards"
SIZE = (1200, 630)
HERE = Path(__file__).parent
MADE_WITH = ("card.py", "font/source-serif-4-latin-600-normal.woff2")
HOME = "Backend engineering, shown with evidence"


def texts(record: catalogue.Record) -> tuple[str, str]:
    """The title on the picture, and the line above it: 'Challenges · 10 minutes'."""
    if not record.url:
        return record.title, HOME
    above = record.crumbs[-1][0] if len(record.crumbs) > 1 else catalogue.SITE_NAME
    return record.title, f"{above} · {record.minutes} minutes" if record.minutes else above


def _drawing(page: Page) -> str:
    """What decides how a text is drawn: the code, the font and the version of Pillow."""
    if "drawing" not in page.site.state:
        made = b"".join((HERE / name).read_bytes() for name in MADE_WITH) + version("pillow").encode()
        page.site.state["drawing"] = hashlib.sha256(made).hexdigest()
    return page.site.state["drawing"]


def page(page: Page) -> None:
    """Put the picture into the site and its address into the record; tools/finish/metadata.py names it."""
    if page.is_error_page or page.site.preview:
        return
    record = catalogue.of(page)
    if not record.address:
        return
    title, above = texts(record)
    key = hashlib.sha256("\n".join((_drawing(page), title, above)).encode()).hexdigest()[:16]
    record.card = f"{FOLDER}/{key}.png"
    kept = page.site.source / ".cache" / "cards" / f"{key}.png" if page.site.source else None
    if kept and kept.is_file():
        data = kept.read_bytes()
    else:
        from tools.finish import card  # Pillow takes a tenth of a second to load, and a second build needs none

        data = card.draw(title, above)
        if kept:
            _keep(kept, data)
    target = page.site.root / record.card
    try:
        target.write_bytes(data)
    except FileNotFoundError:  # the first picture of a build
        target.parent.mkdir(parents=True)
        target.write_bytes(data)


def _keep(path: Path, data: bytes) -> None:
    """Write a file in one step: another build at the same time, or an interruption, finds all of it or nothing."""
    draft = path.with_suffix(f".{os.getpid()}")
    try:
        draft.write_bytes(data)
    except FileNotFoundError:  # the first picture of a checkout
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(data)
    draft.replace(path)
