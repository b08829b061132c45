"""A Sphinx extension: pictures in notebook outputs get the words that `oddemo.plots.show` stored beside them.

MyST-NB names a picture after the hash of its bytes and drops the output's metadata except for its size. So the words
are found again by that hash.
"""

from __future__ import annotations

import hashlib
import json
from binascii import a2b_base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

IMAGE_TYPES = ("image/png", "image/jpeg")


def stored_words(notebook: dict[str, Any]) -> dict[str, str]:
    """Return hash of a picture's bytes → its alternative text, empty where none is stored.

    Args:
        notebook: A notebook in format 4, as JSON.
    """
    words: dict[str, str] = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            for kind in IMAGE_TYPES:
                if kind in output.get("data", {}):
                    data = "".join(output["data"][kind])
                    key = hashlib.sha256(a2b_base64(data)).hexdigest()
                    words[key] = output.get("metadata", {}).get(kind, {}).get("alt", "") or words.get(key, "")
    return words


def set_words(app: Sphinx, doctree: nodes.document) -> None:
    """Give each picture of a notebook its words, and an empty text rather than a file name where there are none."""
    from docutils import nodes

    source = Path(str(app.env.doc2path(app.env.docname)))
    if source.suffix != ".ipynb":
        return
    words = stored_words(json.loads(source.read_text(encoding="utf-8")))
    for image in doctree.findall(nodes.image):
        key = Path(image["uri"]).stem
        if key in words:
            image["alt"] = words[key]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("doctree-read", set_words)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
