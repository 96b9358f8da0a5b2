"""learnings.json: every page with its kind, its section, its minutes, its date and the questions that it answers.

docs/assets/learnings.schema.json describes it, and is published beside it.
"""

import json

from tools.finish import catalogue
from tools.finish.catalogue import Record
from tools.finish.page import Site

NAME = "learnings.json"
SCHEMA = "assets/learnings.schema.json"


def _entry(record: Record) -> dict:
    return {
        "page": record.url.rstrip("/"),
        "kind": record.kind,
        "section": record.section,
        "title": record.title,
        "description": record.description,
        "minutes": record.minutes,
        "date": record.commit.day if record.commit else None,
        "url": record.root + record.url,
        "markdown": record.root + record.twin if record.source else None,
        "questions": record.questions,
    }


def site(site: Site) -> None:
    """Write the list, one page a line, in the order of reading."""
    lines = ",\n".join(json.dumps(_entry(record), ensure_ascii=False) for record in catalogue.records(site))
    text = f'{{"$schema": "{SCHEMA}", "name": {json.dumps(catalogue.SITE_NAME)}, "pages": [\n{lines}\n]}}\n'
    (site.root / NAME).write_text(text, "utf-8", newline="\n")
