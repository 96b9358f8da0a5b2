"""Our scripts as the reader gets them: without comments and indentation. The theme's are minified already."""

import re

# Comments that stand on lines of their own; /*! … */ is a licence and stays.
SPARE = re.compile(r"^[ \t]*(?:/\*(?!!).*?\*/|//.*?$)[ \t]*\n?|^[ \t]+", re.S | re.M)


def minify(script: str) -> str:
    """Drop comments and indentation. No script of ours has a text over several lines, where both might matter."""
    return SPARE.sub("", script)
