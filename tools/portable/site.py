"""The site's own settings, read from mkdocs.yml itself so that the check cannot drift from what is built."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import markdown
import yaml
from mkdocs.config import config_options
from mkdocs.exceptions import ConfigurationError
from mkdocs.utils.meta import get_data
from mkdocs.utils.yaml import get_yaml_loader, yaml_load
from pathspec.gitignore import GitIgnoreSpec

BUILT_IN = ["toc", "tables", "fenced_code"]  # MkDocs switches these on for every site
COLOUR = re.compile(r'<span class="\w{1,3}">([^<]*)</span>')  # two tags of three in a page; no reader's words
NOT_PUBLISHED = [".*", "/templates/"]  # the default of MkDocs


class SettingsError(Exception):
    """mkdocs.yml cannot be used; `line` is 1-based."""

    def __init__(self, message: str, line: int = 1):
        super().__init__(message)
        self.message, self.line = message, line


@dataclass
class SiteSettings:
    """What the checks need to know of mkdocs.yml."""

    docs: Path
    extensions: list
    nav: list[tuple[int, str]] | None = None  # line in mkdocs.yml and path below docs; None: no nav
    excluded: GitIgnoreSpec = field(default_factory=lambda: GitIgnoreSpec.from_lines(NOT_PUBLISHED))
    outside_nav: GitIgnoreSpec = field(default_factory=lambda: GitIgnoreSpec.from_lines([]))

    @cached_property
    def markdown(self) -> markdown.Markdown:
        """The Markdown instance of the site, shared by all pages. Raises SettingsError for an unknown extension."""
        option = config_options.MarkdownExtensions(builtins=BUILT_IN, configkey="mdx_configs")
        try:
            names = option.validate([dict(item) if isinstance(item, dict) else item for item in self.extensions])
        except Exception as error:  # a third-party extension can raise anything while it is loaded
            raise SettingsError(f"markdown_extensions: {str(error).strip().splitlines()[0]}") from error
        return markdown.Markdown(extensions=names, extension_configs=option.configdata)

    def html(self, text: str) -> str:
        """Render a page as the site does, front matter taken off as MkDocs does, without the colours of code."""
        body, _ = get_data(text)
        return COLOUR.sub(r"\1", self.markdown.reset().convert(body))

    def published(self, path: Path) -> bool:
        """Whether MkDocs copies this file below docs to the site."""
        return not self.excluded.match_file(path.relative_to(self.docs).as_posix())


def load(root: Path) -> SiteSettings:
    """Read root/mkdocs.yml. Raises SettingsError when it is missing or broken."""
    path = root / "mkdocs.yml"
    try:
        text = path.read_text("utf-8")
        with path.open(encoding="utf-8") as file:
            values = yaml_load(file)
        node = yaml.compose(text, get_yaml_loader())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"it cannot be read: {error}") from error
    except (ConfigurationError, yaml.YAMLError) as error:
        cause = error.__context__ if isinstance(error, ConfigurationError) else error
        mark = getattr(cause, "problem_mark", None)
        problem = getattr(cause, "problem", None) or str(error).splitlines()[0]
        raise SettingsError(problem, mark.line + 1 if mark else 1) from error
    except (AttributeError, ImportError, TypeError, ValueError) as error:  # a !!python/name: that does not exist
        raise SettingsError(str(error)) from error
    if not isinstance(values, dict):
        raise SettingsError("it is not a list of 'key: value' lines")
    return SiteSettings(
        docs=(root / str(values.get("docs_dir") or "docs")).resolve(),
        extensions=values.get("markdown_extensions") or [],
        nav=_nav(node),
        excluded=_patterns([*NOT_PUBLISHED, *_lines(values.get("exclude_docs"))]),
        outside_nav=_patterns([*_lines(values.get("not_in_nav")), *_lines(values.get("draft_docs"))]),
    )


def _lines(value: object) -> list[str]:
    return str(value).splitlines() if value else []


def _patterns(lines: list[str]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(lines)


def nav_of(text: str) -> list[tuple[int, str]] | None:
    """The paths in the nav of the text of an mkdocs.yml, with their lines; None when it has no nav."""
    return _nav(yaml.compose(text, get_yaml_loader()))


def _nav(node: yaml.Node) -> list[tuple[int, str]] | None:
    """The paths in the nav with their lines; None when mkdocs.yml has no nav."""
    for key, value in getattr(node, "value", []):
        if key.value == "nav":
            return [(line, path) for line, path in _leaves(value) if not re.match(r"[A-Za-z][\w+.-]*:|/|#", path)]
    return None


def _leaves(node: yaml.Node) -> list[tuple[int, str]]:
    if isinstance(node, yaml.ScalarNode):
        return [(node.start_mark.line + 1, node.value)] if node.value else []
    values = node.value if isinstance(node, yaml.SequenceNode) else [value for _, value in node.value]
    return [leaf for value in values for leaf in _leaves(value)]
