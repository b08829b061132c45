"""`python -m oddemo_matrix produce|consume FOLDER OUT PRODUCER/MODEL/FORMAT…`: a line of JSON in OUT for each, at once.

A line that says `begun` is written before the work: where a converter ends the whole process, the caller sees at which.
"""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

from oddemo_matrix.consume import consume
from oddemo_matrix.produce import produce

#: Of an error's text.
LONGEST = 600


def told(error: BaseException, folder: Path) -> str:
    """Return an error's class and text without this machine's paths and name."""
    text = f"{type(error).__name__}: {error}".replace(str(folder), "FOLDER").replace(sys.prefix, "ENVIRONMENT")
    text = re.sub(r"running on [\w.-]+", "running on HOST", text)
    text = re.sub(r"(?<![\w.])/(?:[\w.+-]+/)+", "", text)
    return " ".join(text.split())[:LONGEST]


def main() -> int:
    """Do one thing after the other; each ends in a line."""
    command, folder, out = sys.argv[1], Path(sys.argv[2]).absolute(), Path(sys.argv[3])
    work = {"produce": produce, "consume": consume}[command]
    with out.open("a", encoding="utf-8") as lines:

        def say(**line: object) -> None:
            lines.write(json.dumps(line) + "\n")
            lines.flush()

        for name in sys.argv[4:]:
            producer, model, kind = name.split("/")
            say(name=name, outcome="begun")
            try:
                difference = work(model, kind, folder / producer / model / kind)
            except Exception as error:  # whatever it is: it is the result
                say(name=name, outcome="fails", error=told(error, folder))
                if os.environ.get("ODDEMO_MATRIX_TRACE"):
                    traceback.print_exc()
            else:
                say(name=name, outcome="runs", difference=difference)
    return 0


if __name__ == "__main__":
    sys.exit(main())
