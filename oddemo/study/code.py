"""A fingerprint of the code that decides a run's numbers: change a formula and the run is another one."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterable
from functools import cache
from pathlib import Path

#: Modules that decide no number: messages, files, progress, where numbers come from.
NO_NUMBERS = frozenset({"oddemo", "oddemo.errors", "oddemo.files", "oddemo.progress", "oddemo.provenance"})


def code_fingerprint(modules: Iterable[str]) -> str:
    """Return a SHA-256 over modules and every module of oddemo that they import, directly or not.

    Comments, docstrings and the layout of the text do not count.

    Args:
        modules: Dotted names; they need not be of oddemo.
    """
    found: dict[str, str] = {}
    waiting = sorted(set(modules))
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        fingerprint, imported = _read(name)
        found[name] = fingerprint
        waiting += [other for other in imported if other not in NO_NUMBERS]
    return hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()


@cache
def _read(module: str) -> tuple[str, tuple[str, ...]]:
    """Return the fingerprint of one module, and the modules of oddemo that it imports."""
    path = _source(module)
    if path is None:
        return "", ()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = tuple(sorted(_imports(tree)))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imported


def _imports(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            # `from package import module` names a module only if there is one.
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] == "oddemo" and _source(name) is not None}


@cache
def _source(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin is not None and spec.origin.endswith(".py") else None
