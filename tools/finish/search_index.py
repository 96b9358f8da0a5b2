"""The entries of the search index: the generator's, with less markup and with the words that readers use.

An entry is {location, title, text}, as the generator writes it. Its text becomes lines: a line that begins with a tab
is a line of code, and code within a line stands between backticks. A page's first entry gains its `questions`; the
section that explains error messages gains these `messages` and where they are `listed`.
"""

import html
import re
from pathlib import Path

from tools import vocabulary
from tools.finish.page import FinishError
from tools.generated import errors

CODE_BLOCK = re.compile(r"<pre[^>]*>(?:<code[^>]*>)?(.*?)(?:</code>)?</pre>", re.S)
DIAGRAM = re.compile(r"\s*(?:flowchart|graph|sequenceDiagram|stateDiagram|classDiagram|erDiagram|gantt)\b")
SAID = re.compile(r"acc(?:Title|Descr): *(.+)")
BREAKS = tuple(f"<{slash}{name}>" for name in ("p", "ul", "ol", "li") for slash in ("", "/"))
CODE = re.compile(r"<code>([^`<]*)</code>")
TAG = re.compile(r"</?[a-z][^<>]*>")
FIGURES = re.compile(r"^\t(?=.*\d)[^A-Za-z]*(?:[A-Za-z]{1,3}\b[^A-Za-z]*)*$", re.M)  # a row of numbers and units
# The last lines of a listing of results: the machine, its versions, the hashes of the code.
PROVENANCE = re.compile(r"^\tmachine .*?^\tseal .*?$", re.M | re.S)
SERIES = re.compile(r"(?:\d[\d,.]* · )+\d[\d,.]*[;,]?")
ERRORS_PAGE = errors.ERRORS.removeprefix("docs/") + "/"
MEASUREMENTS = "reference/measurements/"
REPEATING = (ERRORS_PAGE, "reference/glossary/", MEASUREMENTS)  # what other pages explain
LISTS = (MEASUREMENTS, "reference/freshness/")
BEHIND = 0.6  # how much a section of such a page, or of one that introduces the pages below it, counts
WORDS = Path(__file__).resolve().parents[2] / "docs/assets/javascripts/search/words.js"


def _block(found: re.Match) -> str:
    """A block of code as lines behind tabs; of a diagram, what it says of itself."""
    if DIAGRAM.match(found[1]):
        return "\n" + "\n".join(SAID.findall(found[1])) + "\n"
    rows = (row.strip() for row in found[1].split("\n"))
    return "\n" + "\n".join("\t" + row for row in rows if row) + "\n"


def lines_of(text: str) -> str:
    """The text of an entry without markup, one line for each block and for each line of code; without rows of numbers
    and without where they were measured, which nobody searches."""
    if "<" in text:
        text = CODE_BLOCK.sub(_block, text)
        for tag in BREAKS:
            text = text.replace(tag, "\n")
        text = TAG.sub("", CODE.sub(r"`\1`", text))
    text = html.unescape(text)
    if "\t" in text:
        text = FIGURES.sub("", PROVENANCE.sub("", text))
    if " · " in text:
        text = SERIES.sub("", text)
    lines = (line.strip(" ") for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def trimmed(entry: dict) -> dict:
    """An entry of the generator with its title and text as plain text."""
    return entry | {"title": html.unescape(TAG.sub("", entry["title"])), "text": lines_of(entry["text"])}


def page_of(location: str) -> str:
    """'concepts/x/' for a location such as 'concepts/x/#part' or 'concepts/x/index.html#part'."""
    return re.sub(r"(^|/)index\.html$", r"\1", location.split("#")[0])


STOP = frozenset(
    re.search(r'const STOP = new Set\(\s*\((.*?)\)\.split', WORDS.read_text("utf-8"), re.S)[1]
    .replace('" +', "").replace('"', "").split()
)  # fmt: skip


def _content(question: str) -> str:
    """A question without the words that search weighs next to nothing; nobody reads it, and all load it."""
    words = question.split()
    return " ".join(word for word in words if word.lower().replace("'", "") not in STOP) or question


def with_questions(groups: dict[str, list[dict]], source: Path) -> list[dict]:
    """All entries, each page's questions and messages added from the source; the entries of `groups` stay as they are.

    groups   page -> its entries, the page's own first
    """
    groups = {page_of(location): list(entries) for location, entries in groups.items()}
    for page, entries in groups.items():
        if questions := vocabulary.questions(source / "docs" / page):
            entries[0] = entries[0] | {"questions": [_content(question) for question in questions]}
    above = {page.rstrip("/").rpartition("/")[0] + "/" for page in groups}
    for page in groups:
        if page.startswith(REPEATING) or page in above:
            groups[page] = [entry | {"boost": BEHIND * entry.get("boost", 1)} for entry in groups[page]]
        if page in LISTS:  # its rows stand on the pages that they are about
            groups[page][1:] = [entry | {"text": ""} for entry in groups[page][1:]]
    _add_messages(groups, source)
    return [entry for entries in groups.values() for entry in entries]


def _add_messages(groups: dict[str, list[dict]], source: Path) -> None:
    """Put each message of the error index to the section that explains it, and shorten the index to its headings."""
    listing = groups.get(ERRORS_PAGE, [])
    found = list(errors.listed(source))
    if listing and not found:
        raise FinishError(f"{errors.ERRORS}/README.md: no message is found in it; run: make listings")
    for heading, page, messages in found:
        here = next((i for i, entry in enumerate(listing) if entry["title"] == heading), None)
        entries = groups.get(page)
        if here is None or not entries:
            continue
        listing[here] = listing[here] | {"text": ""}  # the page's own text says it; the worker lists the messages
        for message in messages:
            where = next((i for i, entry in enumerate(entries) if message in entry["text"]), 0)
            known = entries[where].get("messages", [])
            entries[where] = entries[where] | {
                "messages": [*known, message],
                "listed": listing[here]["location"],
            }
