"""What the code of a lesson may do, so that it runs for somebody else, from top to bottom, a year from now.

Every rule is a function from a notebook to the places that break it, as in `notebook_policy`, which applies them.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
from packaging.utils import canonicalize_name

import lock
from notebook_cells import Found, Rule, code_cells, parsed, without_magic

ROOT = Path(__file__).resolve().parents[1]
#: What IPython puts beside Python's own names.
KERNEL_NAMES = frozenset({"display", "get_ipython"})
#: Scopes that run where they stand; a function runs when it is called.
AT_ONCE = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})
INSTALLS = re.compile(r"\b(pip3?|conda|mamba|apt|apt-get|npm|uv)\b[^\n]*\b(install|add)\b")
FETCHES = re.compile(
    r"(https?|ftp|gs|s3)://|^\s*!\s*(wget|curl|git)\b|\bdownload_and_prepare\b|\btfds\.load\b", re.MULTILINE
)
#: Modules that ask a server, or a person for a password.
ASKING = frozenset(
    {"requests", "urllib", "urllib3", "http", "httpx", "ftplib", "gdown", "wget", "kaggle", "kagglehub", "boto3"}
    | {"huggingface_hub", "google", "getpass", "keyring"}
)
SECRET = re.compile(r"(API|ACCESS|SECRET)_?(KEY|TOKEN)|\bpassword\b|(?<![\w.])input\(", re.IGNORECASE)


def names_in_order(notebook: nbformat.NotebookNode) -> Found:
    """A cell uses only what cells above it have made: nothing hangs on a cell that was run and deleted."""
    known = KERNEL_NAMES | set(dir(builtins))
    later = []
    for place, cell in code_cells(notebook):
        if cell.source.startswith("%%"):
            continue
        names = _names(symtable.symtable(without_magic(cell.source), "cell", "exec"))
        for name in sorted(names.used - known - names.made):
            yield place, f"expected a cell above to make {name}"
        known |= names.made
        later += [(place, name) for name in sorted(names.used_when_called)]
    for place, name in later:
        if name not in known:
            yield place, f"expected a cell to make {name}, which a function uses"


@dataclass
class _Names:
    """Global names of a piece of code: those it makes, those it looks up, those its functions look up when called."""

    made: set[str]
    used: set[str]
    used_when_called: set[str]


def _names(table: symtable.SymbolTable) -> _Names:
    top = table.get_type() == "module"
    symbols = [one for one in table.get_symbols() if top or one.is_global()]
    made = {one.get_name() for one in symbols if one.is_assigned() or one.is_imported()}
    found = _Names(made, {one.get_name() for one in symbols if one.is_referenced()}, set())
    for below in table.get_children():
        names = _names(below)
        found.made |= names.made
        (found.used if below.get_name() in AT_ONCE else found.used_when_called).update(names.used)
        found.used_when_called |= names.used_when_called
    return found


def installs_nothing(notebook: nbformat.NotebookNode) -> Found:
    """No cell installs or upgrades anything: versions come from requirements.lock."""
    for place, cell in code_cells(notebook):
        match = INSTALLS.search(cell.source)
        if match:
            yield place, f"installs something: {match.group()!r}"


def fetches_nothing(notebook: nbformat.NotebookNode) -> Found:
    """No cell needs a server, an account or a key: what it reads is in the repository or is made."""
    for place, cell in code_cells(notebook):
        for pattern, meaning in ((FETCHES, "fetches something"), (SECRET, "asks for a secret")):
            match = pattern.search(cell.source)
            if match:
                yield place, f"{meaning}: {match.group()!r}"
        for module, _ in _imports(cell.source):
            if module.partition(".")[0] in ASKING:
                yield place, f"imports {module}, which asks a server or a person"


def imports_what_is_there(notebook: nbformat.NotebookNode) -> Found:
    """Each import is of Python, of a package that the lock names, or of a name that oddemo has."""
    for place, cell in code_cells(notebook):
        for module, name in _imports(cell.source):
            if module.partition(".")[0] == "oddemo":
                if not _in_oddemo(module, name):
                    yield place, f"oddemo has no {module}{f'.{name}' if name else ''}"
            elif not _installable(module.partition(".")[0]):
                yield place, f"neither Python nor requirements.lock has {module}"


def _imports(source: str) -> Iterator[tuple[str, str]]:
    """Yield (module, name taken from it or nothing) of every import."""
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


@cache
def _installable(top: str) -> bool:
    return top in sys.stdlib_module_names or bool(_locked() & set(_distributions().get(top, ())))


@cache
def _distributions() -> dict[str, list[str]]:
    return {top: [canonicalize_name(name) for name in names] for top, names in packages_distributions().items()}


@cache
def _locked() -> frozenset[str]:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return frozenset(lock.versions(text, f"{sys.version_info.major}.{sys.version_info.minor}"))


def _in_oddemo(module: str, name: str) -> bool:
    """Whether a module of oddemo is there and has a name, told from its text: importing it may load TensorFlow."""
    place = ROOT.joinpath(*module.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    if not file.is_file():
        return False
    return not name or name in _names_of(file) or (place / name).is_dir() or (place / f"{name}.py").is_file()


@cache
def _names_of(file: Path) -> frozenset[str]:
    table = symtable.symtable(file.read_text(encoding="utf-8"), file.name, "exec")
    return frozenset(one.get_name() for one in table.get_symbols() if one.is_assigned() or one.is_imported())


CODE: tuple[Rule, ...] = (names_in_order, installs_nothing, fetches_nothing, imports_what_is_there)
