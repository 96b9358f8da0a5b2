"""Less of the theme's stylesheet: rules for right-to-left text, palettes and features that the hub does not use.

A third of the theme's 25 KiB (gzip) is for these. tests/test_finish.py checks that no built page has a class of UNUSED.
"""

import re

# Beginnings of class names of features that mkdocs.yml does not switch on. Switch one on: take its line out here.
UNUSED = (
    "annotate", "md-annotation", "md-tooltip",  # content.code.annotate, content.tooltips
    "tabbed", "grid", "keys", "critic", "arithmatex", "twemoji", "gslide", "lg-", "xl",  # Markdown that GitHub has not
    "mermaid", "giscus", "md-consent", "md-feedback", "md-banner", "md-version", "md-progress", "md-outdated",
    "md-post", "md-author", "md-blog", "md-tag", "md-status", "md-social", "md-select", "md-suggest",
    "md-search__suggest", "md-source__fact", "md-source-file", "md-top", "doc-",
)  # fmt: skip

TOKEN = re.compile(r"[^{}]*[{}]")
DROPPED = re.compile(
    r"\[dir=rtl\]|\[data-md-color-(?:primary|accent)=(?!custom\b)|\.(?:" + "|".join(UNUSED) + ")",
)
COMMA = re.compile(r",(?![^(\[]*[)\]])")
COMMENT = re.compile(r"/\*.*?\*/", re.S)


def minify(css: str) -> str:
    """Drop comments and needless white space of a hand-written stylesheet."""
    css = re.sub(r"\s+", " ", COMMENT.sub("", css))
    return re.sub(r" ?([{};,>]) ?", r"\1", css).replace(";}", "}").strip()


def prune(css: str) -> str:
    """Drop the selectors that match DROPPED, and the blocks that are left with none.

    Knows rules, and groups of rules (@media, @supports) of any depth; other at-rules stay as they are.
    """
    out: list[str] = []
    starts: list[int] = []  # where in `out` each open block begins; -1 for one that is dropped
    for token in TOKEN.findall(css):
        head, mark = token[:-1], token[-1]
        if mark == "{":
            dropped = bool(starts) and starts[-1] == -1
            if not dropped and not head.rpartition(";")[2].lstrip().startswith("@"):
                before, end, selectors = head.rpartition(";")  # @charset, or declarations before a nested rule
                kept = [selector for selector in COMMA.split(selectors) if not DROPPED.search(selector)]
                head, dropped = before + end + ",".join(kept), not kept
                if dropped and end:
                    out.append(before + end)
            starts.append(-1 if dropped else len(out))
            if not dropped:
                out.append(head + "{")
        else:
            start = starts.pop()
            if start == -1:
                continue
            if not head and len(out) == start + 1 and out[start].startswith("@"):
                out.pop()  # a group whose rules are all gone
            else:
                out.append(head + "}")
    return "".join(out)
