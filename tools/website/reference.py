"""Pages of the API reference: one a package, with each of its modules, filled in by autodoc from the docstrings."""

from __future__ import annotations

from pathlib import Path

#: Folders that are no part of it: files that run in other environments or are copied beside an export, and the
#: commands, which `oddemo COMMAND --help` describes.
NO_MODULES = ("scripts", "clients", "cli")


def packages(root: Path) -> dict[str, list[str]]:
    """Return package → its modules, both by their full names, in alphabetical order.

    Args:
        root: The repository's top.
    """
    found: dict[str, list[str]] = {}
    for path in sorted((root / "oddemo").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if any(part in NO_MODULES for part in parts) or any(part.startswith("_") for part in parts[:-1]):
            continue
        package = ".".join(parts[:-1])
        found.setdefault(package, [])
        if not parts[-1].startswith("_"):
            found[package].append(".".join(parts))
    return dict(sorted(found.items()))


def write_reference(site: Path, root: Path) -> list[Path]:
    """Write the pages.

    Args:
        site: Folder of the site's source; `api` is made in it.
        root: The repository's top.

    Returns:
        The pages.
    """
    folder = site / "api"
    folder.mkdir(parents=True)
    found = packages(root)
    pages = [folder / "index.rst"]
    pages[0].write_text(_index(found), encoding="utf-8")
    for package, modules in found.items():
        pages.append(folder / f"{package}.rst")
        pages[-1].write_text(_package(package, modules), encoding="utf-8")
    return pages


def _index(found: dict[str, list[str]]) -> str:
    text = _heading("API reference", "=") + (
        "Made from the docstrings. Importing any of these modules loads no TensorFlow; functions that need it load it "
        "when they run. In Python, three lines audit an export: see :py:func:`oddemo.audit.run.audit`.\n\n"
        ".. toctree::\n   :maxdepth: 1\n\n"
    )
    return text + "".join(f"   {package}\n" for package in found)


def _package(package: str, modules: list[str]) -> str:
    text = _heading(package, "=") + f".. automodule:: {package}\n\n"
    if modules:
        text += ".. autosummary::\n\n" + "".join(f"   {_last(module)}\n" for module in modules) + "\n"
    for module in modules:
        text += _heading(module, "-") + f".. automodule:: {module}\n   :members:\n   :member-order: bysource\n\n"
    return text


def _heading(words: str, line: str) -> str:
    return f"{words}\n{line * len(words)}\n\n"


def _last(name: str) -> str:
    return name.rpartition(".")[2]
