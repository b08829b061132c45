"""Record what notebook 13 shows where no lane is made, and the two files that it looks at.

python tools/lane_pairs.py        needs the lanes tf2.15 and tf2.18; writes results/version_pairs.json and data/versions
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from oddemo.files import write_json
from oddemo.lanes.matrix import FILES
from oddemo.lanes.pair import MODULE, record
from oddemo.lanes.running import made_lane, run_in_lane
from oddemo.provenance import provenance

ROOT = Path(__file__).resolve().parents[1]
PRODUCER, CONSUMER = "tf2.15", "tf2.18"
#: Files of the version matrix → the name under which they are kept.
NAMES = {"detector/keras": "detector.keras", "pictures_in/h5": "pictures_in.h5"}


def main() -> int:
    """Write both."""
    producer, consumer = made_lane(PRODUCER), made_lane(CONSUMER)
    told = record(list(NAMES), producer, consumer)
    versions = {name: lane.versions for name, lane in ((PRODUCER, producer), (CONSUMER, consumer))}
    source = provenance(seeds=[2026, 7], command="python tools/lane_pairs.py")
    write_json(ROOT / "results" / "version_pairs.json", {**told, "lanes": versions, "provenance": source})
    place = ROOT / "data" / "versions"
    place.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        run_in_lane(producer, ["write", folder, *NAMES], what="writing", module=MODULE)
        for name, kept in NAMES.items():
            shutil.copy(Path(folder) / name / FILES[name.partition("/")[2]], place / kept)
    print(f"{len(NAMES)} files of {PRODUCER} read by {CONSUMER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
