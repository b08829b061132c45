"""The source of the site: a copy of the repository's pages, laid out as there, so that links between them hold."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from website.catalogue import read_results, write_catalogue
from website.course import LESSONS, SUFFIXES, course_page
from website.practice import with_opening
from website.reference import write_reference
from website.source_links import local_targets, prose

#: Pages of the repository that are pages of the site, beside the lessons. The README's place is taken by the landing
#: page in `docs/site`.
PAGES = ("CONTRIBUTING.md", "CHANGELOG.md", "docs/*.md", "data/README.md", "data/*/README.md")
#: What is written for the site alone; it lies at the top there. It shows `PICTURES`.
OWN, PICTURES = "docs/site/*.rst", ("docs/symptom.png",)
#: What the README tells in the repository and another page tells on the site.
MOVED = {"README.md#what-it-finds": "faults/index.md"}


def repository_pages(root: Path) -> Iterator[Path]:
    """Yield the Markdown files and notebooks that become pages, below the repository's top."""
    for pattern in PAGES:
        yield from (path.relative_to(root) for path in sorted(root.glob(pattern)))
    for folder, _, pattern in LESSONS:
        yield from (path.relative_to(root) for path in sorted((root / folder).glob(pattern)) if path.suffix in SUFFIXES)


def stage(root: Path, site: Path) -> None:
    """Write the source of the site.

    Args:
        root: The repository's top.
        site: Folder to write to; what it holds is replaced.
    """
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(parents=True)
    for page in repository_pages(root):
        copy_page(root / page, site / page)
    for path in sorted(root.glob(OWN)):
        _copy(path, site / path.name)
    for picture in PICTURES:
        _copy(root / picture, site / picture)
    (site / "course.md").write_text(course_page(root), encoding="utf-8")
    write_catalogue(site, read_results(root))
    write_reference(site, root)
    _copy_what_is_linked(root, site)


def _copy_what_is_linked(root: Path, site: Path) -> None:
    """Bring the files that pages point to, such as results and pictures."""
    for page in [path for path in sorted(site.rglob("*")) if path.suffix in SUFFIXES]:
        for target in local_targets(prose(page)):
            place = (page.parent / target.partition("#")[0]).resolve()
            if place.is_relative_to(site.resolve()) and not place.exists():
                source = root.resolve() / place.relative_to(site.resolve())
                if source.is_file():
                    _copy(source, place)


def copy_page(source: Path, target: Path) -> None:
    """Copy a page; in Markdown, links to what is told elsewhere on the site lead there (`MOVED`).

    Exercises and solutions get their own opening.
    """
    _copy(source, target)
    if target.suffix == ".ipynb":
        target.write_text(with_opening(source, target.read_text(encoding="utf-8")), encoding="utf-8")
    if target.suffix == ".md":
        text = target.read_text(encoding="utf-8")
        for place, page in MOVED.items():
            text = re.sub(rf"(\]\((?:\.\./)*){re.escape(place)}\)", rf"\g<1>{page})", text)
        target.write_text(text, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
