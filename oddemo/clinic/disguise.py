"""Scripts that do not say what they do wrong: planted ones without their words, under one name."""

from __future__ import annotations

import ast
from pathlib import Path

from oddemo.audit.plant import serving
from oddemo.files import write_text

SCRIPT = "serve.py"
_FIRST_LINE = (
    '"""Runs the detector on one picture: boxes y_min, x_min, y_max, x_max in its pixels, scores, classes from 1."""'
)


def disguise(planted: Path) -> Path:
    """Put a serving script that stands alone and explains nothing in the place of a planted one.

    Args:
        planted: The script as planted. What it takes from the module that planted scripts share is written into it.

    Returns:
        The new script, `serve.py` beside the planted one, which is gone.
    """
    own = _without_words(planted)
    taken = [line for line in own.body if isinstance(line, ast.ImportFrom) and line.module == serving.__name__]
    common = _needed(_without_words(Path(serving.__file__)).body, taken)
    imports: list[str] = []
    definitions: list[str] = []
    for line in (*common, *(line for line in own.body if line not in taken)):
        (imports if isinstance(line, (ast.Import, ast.ImportFrom)) else definitions).append(ast.unparse(line))
    ordered = [line for line in dict.fromkeys(imports) if "__future__" not in line]
    text = "\n".join([_FIRST_LINE, "", "from __future__ import annotations", "", *ordered, ""])
    script = planted.with_name(SCRIPT)
    planted.unlink()
    write_text(script, text + "\n" + "\n\n".join(definitions) + "\n")
    return script


def _needed(common: list[ast.stmt], taken: list[ast.ImportFrom]) -> list[ast.stmt]:
    """Return what the shared module must hold for the names that a script takes from it."""
    wanted = {alias.name for line in taken for alias in line.names}
    chosen: list[ast.stmt] = []
    for line in reversed(common):
        used = {node.id for node in ast.walk(line) if isinstance(node, ast.Name)}
        if wanted & _bound(line):
            chosen.insert(0, line)
            wanted |= used
    return chosen


def _bound(line: ast.stmt) -> set[str]:
    """Return the names that a line at the top of a module binds."""
    if isinstance(line, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in line.names}
    if isinstance(line, ast.Assign):
        return {target.id for target in line.targets if isinstance(target, ast.Name)}
    return {line.name} if isinstance(line, ast.FunctionDef) else set()


def _without_words(module: Path) -> ast.Module:
    """Read a module without its comments and docstrings."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return tree
