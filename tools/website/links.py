"""The finished pages: each link inside them leads somewhere, and opening one asks no other server for anything."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

_FOREIGN = re.compile(r"^([a-z][a-z+.-]*:|//)", re.IGNORECASE)
#: Attributes that a browser follows by itself when it opens a page.
_LOADED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("video", "src"), ("embed", "src")}
#: Kinds of `link` that a browser loads.
_LOADED_LINKS = {"stylesheet", "preload", "modulepreload", "icon", "shortcut", "manifest", "prefetch", "preconnect"}
_CSS_LOADS = re.compile(r"(?:url\(|@import\s+)\s*[\"']?((?:https?:)?//[^\"')\s]+)")


@dataclass
class Page:
    """What the check needs to know of one HTML page.

    Attributes:
        anchors: Every id, and every name of an anchor.
        links: Where a reader can go, as written.
        loads: What a browser fetches by itself, as written.
        images_without_alt: Sources of pictures that have no alternative text at all, not even an empty one.
    """

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    images_without_alt: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        for name in ("id", "name"):
            if values.get(name) and (name == "id" or tag == "a"):
                self.page.anchors.add(values[name])
        if tag in ("a", "area") and "href" in values:
            self.page.links.append(values["href"])
        if tag == "form" and values.get("action"):
            self.page.links.append(values["action"])
        if tag == "img" and "alt" not in values:
            self.page.images_without_alt.append(values.get("src", ""))
        if tag == "link" and "href" in values:
            loaded = set(values.get("rel", "").lower().split()) & _LOADED_LINKS
            (self.page.loads if loaded else self.page.links).append(values["href"])
        self.page.loads += [values[name] for kind, name in _LOADED if kind == tag and values.get(name)]
        self.page.loads += [part.split()[0] for part in values.get("srcset", "").split(",") if part.strip()]
        self.page.loads += _CSS_LOADS.findall(values.get("style", ""))

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.page.loads += _CSS_LOADS.findall(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_style = self._in_style and tag != "style"


def read_page(text: str) -> Page:
    """Read an HTML page."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.page


@dataclass(frozen=True)
class Checked:
    """What the check of a folder of pages found.

    Attributes:
        pages: How many there are.
        internal: How many links lead inside.
        broken: `page: target` of those that lead nowhere.
        loaded: `page: address` of what a browser would fetch from another server.
        external: Addresses outside, in alphabetical order.
        without_alt: `page: source` of pictures without any alternative text.
    """

    pages: int
    internal: int
    broken: tuple[str, ...]
    loaded: tuple[str, ...]
    external: tuple[str, ...]
    without_alt: tuple[str, ...]


def check_pages(folder: Path) -> Checked:
    """Check every page and style sheet below a folder."""
    folder = folder.resolve()
    # Below `_static` lies what pages use; the theme keeps a template there that ends in .html and is no page.
    found = [path for path in sorted(folder.rglob("*.html")) if path.relative_to(folder).parts[0] != "_static"]
    pages = {path: read_page(path.read_text(encoding="utf-8")) for path in found}
    broken, loaded, external, internal = [], [], set(), 0
    for path, page in pages.items():
        name = path.relative_to(folder).as_posix()
        loaded += [f"{name}: {one}" for one in page.loads if _FOREIGN.match(one) and not one.startswith("data:")]
        external |= {one for one in page.links if re.match(r"https?://", one)}
        for target in page.links + page.loads:
            if target and not _FOREIGN.match(target):
                internal += 1
                if not _leads_somewhere(folder, path, target, pages):
                    broken.append(f"{name}: {target}")
    for sheet in sorted(folder.rglob("*.css")):
        foreign = _CSS_LOADS.findall(sheet.read_text(encoding="utf-8"))
        loaded += [f"{sheet.relative_to(folder).as_posix()}: {one}" for one in foreign]
    without = [
        f"{path.relative_to(folder).as_posix()}: {one}"
        for path, page in pages.items()
        for one in page.images_without_alt
    ]
    return Checked(len(pages), internal, tuple(broken), tuple(loaded), tuple(sorted(external)), tuple(without))


def _leads_somewhere(folder: Path, page: Path, target: str, pages: dict[Path, Page]) -> bool:
    bare, anchor = urldefrag(target)
    path = unquote(bare.split("?")[0])
    place = (page.parent / path).resolve() if path else page
    if place.is_dir():
        place = place / "index.html"
    if not place.is_relative_to(folder) or not place.is_file():
        return False
    # `#` alone is the top of a page; other files than pages have no anchors to ask for.
    return not anchor or place not in pages or unquote(anchor) in pages[place].anchors
