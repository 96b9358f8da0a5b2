"""The one file of MkDocs hooks: reads all dates in one git pass, spares the search parser the highlighting, and calls
the finishing step. All else is generated before the build or done on its result, so that another generator can take
MkDocs' place.

`on_files` fills private caches of mkdocs-git-revision-date-localized-plugin 1.6.3, and `_without_spans` relies on
the search plugin dropping them; both are locked, and tests/test_hooks.py compares the output with the plugins' own.
"""

import logging
import os
import re
import sys
import time
from pathlib import Path

from mkdocs.exceptions import PluginError
from mkdocs.plugins import CombinedEvent, event_priority

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tools import highlighting  # noqa: E402  (needs the path)
from tools.finish import FinishError, Page, Site, commits, finish_page, finish_site  # noqa: E402

log = logging.getLogger("mkdocs.hooks.nexus")
DATES = "git-revision-date-localized"
SPAN = re.compile(r"</?span(?![^>]*data-search)[^>]*>")
SEARCH_DATA = re.compile(r"\s?data-search-\w+=\"[^\"]+\"")

_kept: dict[str, str] = {}
_command = ""
site: Site | None = None  # kept between the builds of a preview: its state holds the search entries of all pages


def on_startup(command, dirty):
    """Know a preview from a build."""
    global _command
    _command = command


def on_config(config):
    """Switch the dates off where there is no git history, and say so where the history is cut short."""
    highlighting.once()
    plugin = config.plugins.get(DATES)
    if plugin and not commits.git(config.docs_dir, "rev-parse", "--is-inside-work-tree"):
        plugin.config["enabled"] = False  # the day of the build would be a lie
        log.info("No git history: pages show no date")
    elif commits.git(config.docs_dir, "rev-parse", "--is-shallow-repository").strip() == "true":
        log.warning(
            "Shallow clone: dates of pages would be wrong. Run: git fetch --unshallow (in Actions: fetch-depth: 0)"
        )
    return config


@event_priority(100)  # before the plugin looks
def on_files(files, config):
    """Fill the plugin's caches from one `git log`, in place of one `git log --follow` and one `git tag` a page."""
    plugin = config.plugins.get(DATES)
    if not plugin or not plugin.config["enabled"] or plugin.last_revision_commits:
        return files
    docs = os.path.realpath(config.docs_dir)
    history = site.state["history"] = commits.read(docs)
    plugin.util._get_repo(docs)
    tags: dict[str, str] = {}
    fields = "--format=%(objectname) %(*objectname) %(refname:short)"
    for line in commits.git(docs, "for-each-ref", "refs/tags", fields).splitlines():
        tag, commit, name = line.split(" ", 2)
        tags.setdefault(commit or tag, name)
    for file in files.documentation_pages():
        if file.abs_src_path is None:
            continue
        path = os.path.abspath(file.abs_src_path)
        found = history.commits.get(history.path(file.src_uri))
        commit = (found.name, found.time) if found else ("", int(time.time()))  # not committed yet: today
        plugin.last_revision_commits[path] = commit
        plugin.cached_source_paths[path] = path
        plugin.util.tag_cache[commit[0]] = tags.get(commit[0], "")
    return files


@event_priority(100)
def _without_spans(context, page, config, nav):
    """Give the search plugin the page without highlighting, which it drops anyway: a third of its work."""
    _kept["html"] = page.content
    page.content = SPAN.sub("", page.content)
    return context


@event_priority(-100)
def _with_spans(context, page, config, nav):
    page.content = SEARCH_DATA.sub("", _kept.pop("html"))
    return context


on_page_context = CombinedEvent(_without_spans, _with_spans)


def on_pre_build(config):
    """Know the site whose pages are finished; the object outlives the builds of a preview."""
    global site
    root = Path(config.site_dir)
    if site is None or site.root != root:
        site = Site(root, Path(config.config_file_path).parent, (config.repo_url or "").rstrip("/"))
    site.repo_ref = os.environ.get("REPO_REF", "main")
    site.strict = config.strict
    site.preview = _command == "serve"
    site.state.pop("history", None)  # a preview sees the commit that was made meanwhile
    site.offline = os.environ.get("OFFLINE") == "1"
    site.notices.clear()


def _finished(output: str, path: Path) -> str:
    """Finish a page before it is written: a page that cannot be finished leaves the last good one in the preview."""
    try:
        return finish_page(Page(site, path, output))
    except FinishError as error:
        raise PluginError(str(error)) from None


def on_post_page(output, page, config):
    return _finished(output, Path(page.file.abs_dest_path))


def on_post_template(output, template_name, config):
    return _finished(output, Path(config.site_dir, template_name)) if template_name.endswith(".html") else output


@event_priority(-100)  # after the search plugin has written its index
def on_post_build(config):
    """Finish what is not a page: the search index, and one policy for all pages."""
    try:
        finish_site(site)
    except FinishError as error:
        raise PluginError(str(error)) from None
    for notice in site.notices:
        log.warning(notice)
