"""python -m tools.finish SITE: finish the output of any generator, in place."""

import argparse
import os
import sys
from pathlib import Path

from tools.finish import FinishError, Site, finish


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.finish", description=__doc__)
    parser.add_argument("site", type=Path, help="the folder of built HTML")
    parser.add_argument("--source", type=Path, default=Path.cwd(), help="the repository (default: this folder)")
    parser.add_argument("--repo-url", default=os.environ.get("REPO_URL", ""), help="for links to source lines")
    parser.add_argument(
        "--repo-ref", default=os.environ.get("REPO_REF", "main"), help="branch or commit of those links"
    )
    options = parser.parse_args()
    if not (options.site / "index.html").is_file():
        print(f"{options.site}: no index.html here; name the folder that the generator wrote", file=sys.stderr)
        return 1
    site = Site(options.site.resolve(), options.source.resolve(), options.repo_url.rstrip("/"), options.repo_ref)
    site.offline = os.environ.get("OFFLINE") == "1"
    try:
        count = finish(site)
    except FinishError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{count} pages finished in {options.site}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
