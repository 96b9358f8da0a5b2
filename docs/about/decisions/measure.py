"""What a reader would notice if another generator built these pages."""

from tools.parity import sites
from tools.parity.__main__ import run

MEASURES = [
    "tools/parity/read.py",
    "tools/parity/compare.py",
    "tools/parity/search.py",
    "tools/parity/sites.py",
    "tools/finish/changed.py",
    "tools/finish/zensical.py",
    "tools/finish/search.py",
    "tools/finish/zensical_search.js",
]
GIVEN = {}
PACKAGES = ["mkdocs", "mkdocs-material"]
NAMES = {sites.PROPERDOCS: "ProperDocs", sites.ZENSICAL: "Zensical"}
TITLE = "Values compared with ours, and values that differ"
# What is compared -> how the table calls it; the rest are one value on each page.
KINDS = {
    "pages": "pages",
    "title": "titles",
    "headings": "headings, with anchors",
    "links": "links in the text",
    "navigation": "links of the navigation",
    "listings": "listings",
    "diagrams": "diagrams",
    "images": "pictures",
    "text": "words",
    "date": "days of the last change",
    "policy": "security policies",
    "files": "files, the search index too",
    "sitemap": "entries of the sitemap",
    "search": "first results of queries",
}


def measure(lab):
    result = run(list(sites.LOCKS), lab.say)
    for facet, name in KINDS.items():
        counts = {"compared": result[sites.ZENSICAL][0][facet]}
        for generator in sites.LOCKS:
            counts[NAMES[generator]] = result[generator][1][facet]
        lab.record(TITLE, name, counts=counts)
    for generator, (_, _, problems) in result.items():
        lab.record("Differences that nothing explains", sites.version(generator), counts={"differences": len(problems)})
