"""Pygments asked once for what is the same for each of the thousand blocks of a site: 5 % of a build.

The highlighting extension makes a formatter and a lexer for each block. A formatter works out the names of its style
anew, and the search for a lexer goes through all 570. Both are kept here. `_create_stylesheet` is a private name of
Pygments 2.21.0, which is locked; tests/test_hooks.py compares what is written with and without.
"""

import functools
from collections.abc import Callable

from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pymdownx import highlight


@functools.cache
def _names(create: Callable, style: type, prefix: str, formatter: type) -> tuple[dict, dict]:
    """The two tables that `create` fills for a style; only the style and the prefix of classes decide them."""
    blank = formatter.__new__(formatter)
    blank.style, blank.classprefix = style, prefix
    create(blank)
    return blank.ttype2class, blank.class2style


def _stylesheet(create: Callable) -> Callable:
    @functools.wraps(create)
    def kept(self: HtmlFormatter) -> None:
        self.ttype2class, self.class2style = _names(create, self.style, self.classprefix, HtmlFormatter)

    return kept


@functools.cache
def _class_of(alias: str) -> type:
    return type(get_lexer_by_name(alias))


def _lexer(alias: str, **options):
    """What get_lexer_by_name gives, a new lexer each time. Raises ClassNotFound as it does."""
    return _class_of(alias)(**options)


def once() -> None:
    """Let every later build of this process keep both; a second call changes nothing."""
    if not hasattr(HtmlFormatter._create_stylesheet, "__wrapped__"):
        HtmlFormatter._create_stylesheet = _stylesheet(HtmlFormatter._create_stylesheet)
        highlight.get_lexer_by_name = _lexer
