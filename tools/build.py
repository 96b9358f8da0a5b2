"""Build the site strictly: python -m tools.build [FOLDER]

Checks the pages, builds into a folder beside the target and swaps the two at the end, so that a failure leaves the
last good site as it was.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort, ConfigurationError

from tools import logs, portable
from tools.repository import ROOT, set_environment


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
        mkdocs_build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(fresh), strict=True))
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
    print(f"Built {target}")
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
    return build(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "site"))


if __name__ == "__main__":
    sys.exit(main())
