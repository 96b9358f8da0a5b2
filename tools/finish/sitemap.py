"""sitemap.xml with the days of the commits. MkDocs writes the day of the build for every page.

A page that is not committed has no day. Where the site's address is unknown, the generator's file stays.
"""

import gzip
from xml.etree import ElementTree

from tools.finish import catalogue
from tools.finish.page import Site

NAME = "sitemap.xml"


def site(site: Site) -> None:
    """Write the sitemap, and the packed one beside it, with no time inside."""
    records = [record for record in catalogue.records(site) if record.address]
    if not records:
        return
    urls = ElementTree.Element("urlset", {"xmlns": "http://www.sitemaps.org/schemas/sitemap/0.9"})
    for record in records:
        url = ElementTree.SubElement(urls, "url")
        ElementTree.SubElement(url, "loc").text = record.address
        if record.commit:
            ElementTree.SubElement(url, "lastmod").text = record.commit.day
    ElementTree.indent(urls)
    data = ElementTree.tostring(urls, "utf-8", xml_declaration=True) + b"\n"
    (site.root / NAME).write_bytes(data)
    (site.root / f"{NAME}.gz").write_bytes(gzip.compress(data, mtime=0))
