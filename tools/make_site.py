"""Make the site from notebooks, registry, results and docstrings, and check every link in it.

python tools/make_site.py            write runs/site/html; open runs/site/html/index.html
python tools/make_site.py external   ask every address that the site leads to whether it is there (needs the network)
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "runs" / "site"
EXTERNAL = OUT / "external_links.txt"


def build() -> int:
    """Write the source of the site, let Sphinx make the pages, and check them; every warning is an error."""
    import matplotlib as mpl

    mpl.use("Agg")
    from website.source_links import broken
    from website.staging import repository_pages, stage

    start = time.monotonic()
    dead = broken(ROOT, [Path("README.md"), *repository_pages(ROOT)])
    if dead:
        return _failed("Links that lead nowhere", dead)
    stage(ROOT, OUT / "source")
    print(f"source of the site: {time.monotonic() - start:.0f} s", flush=True)
    for folder in ("html", "doctrees"):
        shutil.rmtree(OUT / folder, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-j", "2"]
    command += ["-c", str(ROOT / "docs" / "site"), "-d", str(OUT / "doctrees")]
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tools")])}
    done = subprocess.run([*command, str(OUT / "source"), str(OUT / "html")], env=environment, check=False)
    if done.returncode:
        return done.returncode
    print(f"pages: {time.monotonic() - start:.0f} s", flush=True)
    return check(OUT / "html")


def check(html: Path) -> int:
    """Check the pages, write down where they lead outside, and say what was found."""
    from oddemo.files import write_text
    from website.links import check_pages

    found = check_pages(html)
    for what, places in (
        ("Links that lead nowhere", found.broken),
        ("Loaded from other servers", found.loaded),
        ("Pictures without an alternative text", found.without_alt),
    ):
        if places:
            return _failed(what, places)
    write_text(EXTERNAL, "".join(f"{address}\n" for address in found.external))
    print(
        f"{found.pages} pages, {found.internal} links inside, all lead somewhere; {len(found.external)} addresses "
        f"outside are in {EXTERNAL.relative_to(ROOT)}"
    )
    print(f"open {(html / 'index.html').relative_to(ROOT)}")
    return 0


def _failed(what: str, places: tuple[str, ...] | list[str]) -> int:
    print(f"{what}:", *places, sep="\n  ", file=sys.stderr)
    return 1


def main() -> int:
    """Do what the command line says."""
    command = sys.argv[1:]
    if command == ["external"]:
        from website.external import report

        return report(EXTERNAL)
    if command:
        raise SystemExit(__doc__)
    return build()


if __name__ == "__main__":
    sys.exit(main())
