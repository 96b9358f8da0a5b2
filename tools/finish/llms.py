"""llms.txt and llms-full.txt, in the form of llmstxt.org: what the site holds, for programs that read for people."""

from tools.finish import catalogue, twins
from tools.finish.catalogue import Record
from tools.finish.page import Site

MORE = """Each page says what was tested and measured for it. Its Markdown stands beside it as `index.md`. \
[llms-full.txt]({root}llms-full.txt) has all pages in one file, [learnings.json]({root}learnings.json) their list with \
the questions that each answers."""


def _line(record: Record) -> str:
    title = record.title.replace("[", r"\[").replace("]", r"\]")
    return f"- [{title}]({record.root}{record.twin}): {record.lead}"


def index(records: list[Record]) -> str:
    """The text of llms.txt: the name, the promise, and a list for each section, in the order of reading."""
    home = next((record for record in records if not record.url), None)
    lines = [f"# {catalogue.SITE_NAME}"]
    if home:
        lines += ["", f"> {home.lead}", "", MORE.format(root=home.root)]
    sections = list(dict.fromkeys(record.section for record in records if record.url))
    for section in sections:
        pages = [record for record in records if record.url and record.section == section]
        name = next((record.title for record in pages if record.kind == "section"), section or "Pages")
        lines += ["", f"## {name}", "", *map(_line, pages)]
    return "\n".join(lines) + "\n"


def whole(records: list[Record]) -> str:
    """The text of llms-full.txt: every page behind its address."""
    texts = ((record, record.full or twins.of(record)[1]) for record in records)  # finished before: read again
    return "\n".join(f"<!-- {record.root}{record.twin} -->\n\n{text.strip()}\n" for record, text in texts)


def site(site: Site) -> None:
    """Write both. A page whose Markdown is not at hand is left out."""
    records = [record for record in catalogue.records(site) if record.source]
    if records:
        (site.root / "llms.txt").write_text(index(records), "utf-8", newline="\n")
        (site.root / "llms-full.txt").write_text(whole(records), "utf-8", newline="\n")
