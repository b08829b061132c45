"""Finding the label map that goes with an artefact."""

from __future__ import annotations

from pathlib import Path

from oddemo.data.label_map import read_label_map

LABEL_MAP = "label_map.pbtxt"


def labels_beside(artefact: Path) -> tuple[str, ...]:
    """Return the names in the artefact's label map; none if it has no label map.

    Looked for: `label_map.pbtxt` in the folder or its `assets`; for a file, `<stem>.label_map.pbtxt` or
    `label_map.pbtxt` beside it.

    Raises:
        OddemoError: If there is a label map that cannot be read.
    """
    if artefact.is_dir():
        places = [artefact / LABEL_MAP, artefact / "assets" / LABEL_MAP]
    else:
        places = [artefact.with_name(f"{artefact.stem}.{LABEL_MAP}"), artefact.with_name(LABEL_MAP)]
    found = next((place for place in places if place.is_file()), None)
    return read_label_map(found) if found is not None else ()
