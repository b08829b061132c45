"""`python -m oddemo_pair write FOLDER MODEL/FORMAT…` and, in another lane, `python -m oddemo_pair read FOLDER …`.

Models, formats and ways of reading are those of the version matrix. `read` prints a line of JSON for each.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np

from oddemo_matrix.__main__ import told
from oddemo_matrix.consume import READERS
from oddemo_matrix.models import inputs_for
from oddemo_matrix.produce import FORMATS, produce

#: Scores that are told of a file; the largest difference is of all.
MOST = 400


def read(model: str, kind: str, folder: Path) -> dict[str, object]:
    """Return what happens when a file is read, and scores that the writer and the reader get from it, evenly spread."""
    place = folder / model / kind
    with np.load(place / "expected.npz") as expected:
        written = np.asarray(expected["scores"]).ravel()
    try:
        found = READERS[kind](model, place / FORMATS[kind][0], inputs_for(model))
    except Exception as error:  # whatever it is: it is the result
        return {"error": told(error, folder), "difference": None, "written": [], "read": []}
    scores = np.asarray(found["scores"]).ravel()
    chosen = np.linspace(0, len(scores) - 1, MOST).astype(int)
    return {
        "error": None,
        "difference": float(np.abs(scores - written).max()),
        "written": [float(f"{value:.6g}") for value in written[chosen]],
        "read": [float(f"{value:.6g}") for value in scores[chosen]],
    }


def main() -> int:
    """Write or read one file after the other."""
    command, folder = sys.argv[1], Path(sys.argv[2]).absolute()
    for name in sys.argv[3:]:
        model, kind = name.split("/")
        if command == "write":
            produce(model, kind, folder / model / kind)
        else:
            print(json.dumps({"name": name, **read(model, kind, folder)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
