"""Build the site to be opened from disk, as one zip: python -m tools.preview [FILE.zip]

The same pages give the same bytes: entries are sorted, and carry the oldest date that a zip can hold.
"""

import os
import sys
import tempfile
import zipfile
from pathlib import Path

from tools import logs
from tools.build import build
from tools.repository import ROOT, set_environment

FOLDER = "alx-project-nexus"  # what unpacking makes: one folder, and nothing beside it
OLDEST = (1980, 1, 1, 0, 0, 0)
OF_A_SERVER = {"404.html", "sitemap.xml", "sitemap.xml.gz"}  # nobody asks for them on a disk
NOTE = f"Unpack it, then open {FOLDER}/index.html by a double click"


def pack(site: Path, target: Path) -> None:
    """Write the files of a built site into a zip; a zip that was there stays until the new one is whole."""
    fresh = target.with_name(f".{target.name}.new")
    try:
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as bundle:
            files = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
            for name, path in sorted(files.items()):
                if name not in OF_A_SERVER:
                    entry = zipfile.ZipInfo(f"{FOLDER}/{name}", OLDEST)
                    entry.create_system, entry.external_attr = 3, 0o644 << 16  # alike on every system
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    bundle.writestr(entry, path.read_bytes())
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def main() -> int:
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    os.environ["OFFLINE"] = "1"
    set_environment(site_url=False)
    logs.to_stderr()
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "preview.zip").absolute()
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder, "site")
        if status := build(site):
            return status
        pack(site, target)
    print(f"{target.name}: {target.stat().st_size / 1e6:.1f} MB. {NOTE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
