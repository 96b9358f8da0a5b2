"""Build the site strictly: python -m tools.build [FOLDER]

Checks the pages, builds into a folder beside the target and swaps the two at the end, so that a failure leaves the
last good site as it was. With OFFLINE=1 in the environment it builds a site that opens from disk.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort, ConfigurationError

from tools import logs, portable
from tools.repository import ROOT, set_environment

# A browser loads no page of a file: address by script, and the addresses of a server mean nothing there.
NEEDS_SERVER = {"navigation.instant", "search.share"}


def settings(folder: Path) -> MkDocsConfig:
    """The settings of a strict build into a folder. Raises ConfigurationError."""
    offline = os.environ.get("OFFLINE") == "1"
    options = {"site_url": "", "use_directory_urls": False} if offline else {}
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True, **options)
    if offline:
        config.theme["features"] = [name for name in config.theme["features"] if name not in NEEDS_SERVER]
    return config


def build(target: Path) -> int:
    """Build the site into `target`. Returns 0, or 1 when something was reported; then `target` is unchanged."""
    problems = portable.check(ROOT)
    if problems:
        print(*problems, sep="\n", file=sys.stderr)
        print(f"{len(problems)} problem{'s' if len(problems) != 1 else ''}; nothing was built", file=sys.stderr)
        return 1
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        mkdocs_build(settings(fresh))
        fresh.chmod(0o755)
        _swap(fresh, target)
    except OSError as error:  # on Windows: a file of the old site is open
        print(
            f"{target.name}/ could not be replaced: {error.strerror}. Close what uses it and try again", file=sys.stderr
        )
        return 1
    except (Abort, ConfigurationError) as error:
        print(f"{error} Nothing was written to {target.name}/", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return 0


def _swap(fresh: Path, target: Path) -> None:
    """Put the new site in the place of the old one; when that fails, the old one stays."""
    old = fresh.with_name(fresh.name + "-old")
    if target.exists():
        target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def main() -> int:
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    set_environment(site_url=True)
    logs.to_stderr()
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "site")
    status = build(target)
    if not status:
        print(f"Built {target.absolute()}")
    return status


if __name__ == "__main__":
    sys.exit(main())
