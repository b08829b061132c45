"""Label maps: the `label_map.pbtxt` that goes with a detector and says which class id is which name.

The format is the text form of the Object Detection API's `StringIntLabelMap`:

    item {
      id: 1
      name: "RBC"
    }

All usual spellings are read: either quote, `display_name` (preferred over `name`), `item: {`, `<` for `{`, comments,
separators, escapes, text in several pieces, and fields that are of no use here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from oddemo.data.label_map_text import malformed, quoted, read_items
from oddemo.errors import OddemoError
from oddemo.files import refuse_to_overwrite, write_text


def read_label_map(path: Path) -> tuple[str, ...]:
    """Read the class names of a label map; class id `k` is the `k`-th of them.

    Args:
        path: A `label_map.pbtxt`.

    Raises:
        OddemoError: If the file is missing or malformed, a name is missing or used twice, or the ids are not 1 to N.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise OddemoError(f"The label map {path} does not exist.", do="check the path") from None
    except (UnicodeDecodeError, OSError) as error:
        raise OddemoError(f"The label map {path} cannot be read.", expected="UTF-8 text", found=str(error)) from None
    try:
        items = [_class(line, fields) for line, fields in read_items(text)]
    except OddemoError as error:
        problem = error.problem.replace("The label map", f"The label map {path}", 1)
        raise OddemoError(problem, expected=error.expected, found=error.found) from None
    _check_ids(path, [class_id for class_id, _ in items])
    names = tuple(name for _, name in sorted(items))
    _check_names(path, names)
    return names


def write_label_map(path: Path, names: Sequence[str], *, overwrite: bool = False) -> None:
    """Write class names as a label map with ids 1 to N, atomically.

    Args:
        path: Where the `label_map.pbtxt` goes.
        names: The class names in the order of their ids.
        overwrite: Replace a file that is there already.

    Raises:
        OddemoError: If the file exists, a name is empty, or a name is used twice.
    """
    path = Path(path)
    _check_names(path, names)
    refuse_to_overwrite(path, overwrite=overwrite)
    items = (f"item {{\n  id: {number}\n  name: {quoted(name)}\n}}\n" for number, name in enumerate(names, 1))
    write_text(path, "".join(items))


def _class(line: int, fields: dict[str, str]) -> tuple[int, str]:
    number, name = fields.get("id"), fields.get("display_name") or fields.get("name")
    if number is None or not re.fullmatch(r"[-+]?[0-9]{1,9}", number):
        raise malformed(line, f"an item with id {number}", expected="a whole number as id in every item")
    if not name:
        raise malformed(line, f"item {number} has no name", expected='name: "…" in every item')
    return int(number), name


def _check_ids(path: Path, ids: Sequence[int]) -> None:
    if not ids:
        raise OddemoError(f"The label map {path} holds no class.", expected="item { id: 1 name: '…' } for every class")
    if sorted(ids) == list(range(1, len(ids) + 1)):
        return
    if 0 in ids:
        do = "id 0 is the background, which is never listed: remove that item, or start the ids at 1"
    elif len(set(ids)) != len(ids):
        do = "give every class an id of its own"
    else:
        do = "number the classes without gaps, and the annotations with them"
    raise OddemoError(
        f"The label map {path} does not number its classes from 1 to {len(ids)}.",
        expected=f"ids 1 to {len(ids)}, each once",
        found=f"ids {', '.join(map(str, sorted(ids)))}",
        do=do,
    )


def _check_names(path: Path, names: Sequence[str]) -> None:
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice or not names or not all(names):
        raise OddemoError(
            f"The class names of {path} do not tell the classes apart.",
            expected="at least one name; every name once, none empty",
            found=f"used more than once: {', '.join(twice)}" if twice else str(list(names)),
        )
