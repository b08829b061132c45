"""Ask every lane what it offers to artefacts, and write the tables by which `oddemo inspect --for` predicts.

python tools/lane_offers.py [FOLDER]   needs the lanes to be made (`oddemo lanes make NAME`); a few minutes

In FOLDER, if it is given, the answers are kept, and a run that was interrupted goes on from there.

The lanes that are held out are not asked: predictions are tested on them. The tables lie in
`oddemo/export/loading/offers`. No TensorFlow is imported here: each lane is asked in its own process.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from oddemo.export.loading.offers import FOLDER, KERAS, OPERATIONS, RUNTIMES, number_of
from oddemo.files import write_text
from oddemo.lanes.matrix import ASKED, VERSIONS
from oddemo.lanes.running import made_lane, run_in_lane
from oddemo.provenance import provenance

#: As far as two versions' values may lie apart and count as the same.
SAME_WITHIN = 1e-5

Told = dict[str, dict[str, Any]]


def ask(names: Iterable[str], folder: Path) -> tuple[Told, Told]:
    """Return lane → what it offers, and lane → what it makes of what the others wrote."""
    for command in ("write", "read"):
        for name in names:
            done = folder / (f"{name}.json" if command == "write" else f"read-{name}.json")
            if done.exists():
                continue
            run_in_lane(made_lane(name), [command, folder, name], what=f"asking {name}", module="oddemo_offers")
            print(f"{name}: {command}")
    return tuple(  # type: ignore[return-value]
        {name: json.loads((folder / f"{before}{name}.json").read_text(encoding="utf-8")) for name in names}
        for before in ("", "read-")
    )


def since(having: Iterable[str], among: list[str]) -> str:
    """Return which of some versions have a thing: nothing for all, `@first+`, `@-last`, or each with `|` between."""
    there = set(having)
    found = [version for version in among if version in there]
    if found == among:
        return ""
    if found == among[-len(found) :]:
        return f"@{found[0]}+"
    return f"@-{found[-1]}" if found == among[: len(found)] else "@" + "|".join(found)


def operations_text(written: Told, version: dict[str, str]) -> str:
    """Return one operation a line with its attributes; what only some versions have is marked."""
    tables = by_version(version, part(written, "operations"))
    lines = [" ".join(("#", *tables))]
    for op in sorted({op for table in tables.values() for op in table}):
        having = {number: table[op] for number, table in tables.items() if op in table}
        among = list(having)
        words = [op + since(among, list(tables))]
        for attribute in sorted({name for entry in having.values() for name in entry["attributes"]}):
            words.append(attribute + since((n for n, e in having.items() if attribute in e["attributes"]), among))
        here = [number for number, entry in having.items() if entry["cpu"]]
        if here and here != among:
            words.append("!cpu" + since(here, among))
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


def allowed_values(written: Told, version: dict[str, str]) -> dict[str, dict[str, dict[str, list[Any]]]]:
    """Return operation → attribute → version → the values that it may have, where versions differ in that."""
    found: dict[str, dict[str, dict[str, list[Any]]]] = {}
    for op in sorted({op for told in written.values() for op in told["operations"]}):
        lists: dict[str, dict[str, list[Any]]] = {}
        for name, told in written.items():
            for attribute, values in told["operations"].get(op, {"attributes": {}})["attributes"].items():
                if values is not None:
                    lists.setdefault(attribute, {})[version[name]] = values
        differing = {key: by for key, by in lists.items() if len({json.dumps(value) for value in by.values()}) > 1}
        if differing:
            found[op] = differing
    return found


def alike(folder: Path, file: str, version: dict[str, str]) -> dict[str, list[list[str]]]:
    """Return name → groups of versions that compute the same, for what does not compute the same everywhere."""
    arrays = {name: dict(np.load(folder / name / file)) for name in version}
    found: dict[str, list[list[str]]] = {}
    for key in sorted({key for loaded in arrays.values() for key in loaded}):
        groups: list[list[str]] = []
        for name in (name for name in version if key in arrays[name]):
            mine = arrays[name][key]
            for group in groups:
                other = arrays[group[0]][key]
                if other.shape == mine.shape and np.allclose(other, mine, SAME_WITHIN, SAME_WITHIN, equal_nan=True):
                    group.append(name)
                    break
            else:
                groups.append([name])
        if len(groups) > 1:
            found[key] = [list(dict.fromkeys(version[name] for name in group)) for group in groups]
    return found


def by_version(version: dict[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return version → the value of its lanes.

    Raises:
        SystemExit: If two lanes of one version do not agree.
    """
    found: dict[str, Any] = {}
    for lane, value in values.items():
        if found.setdefault(version[lane], value) != value:
            raise SystemExit(f"{lane}: another lane with {version[lane]} does not say the same")
    return found


def part(told: Told, name: str) -> dict[str, Any]:
    """Return lane → one part of what it said."""
    return {lane: entry[name] for lane, entry in told.items()}


def keras_table(folder: Path, written: Told, read: Told, keras: dict[str, str]) -> dict[str, Any]:
    """Return what each Keras writes, takes and computes."""
    classes: dict[str, Any] = {}
    for name in sorted({name for told in written.values() for name in told["objects"]}):
        keys = by_version(
            keras, {lane: sorted(told["objects"].get(name, {}).get("config", {})) for lane, told in written.items()}
        )
        refused = by_version(keras, {lane: told["refused"].get(name, []) for lane, told in read.items()})
        classes[name] = {
            "keys": sorted({key for listed in keys.values() for key in listed}),
            "unknown_to": [version for version, listed in refused.items() if listed is None],
            "refused": {version: listed for version, listed in refused.items() if listed},
        }
    return {
        "versions": list(dict.fromkeys(keras.values())),
        "modules": by_version(keras, part(read, "modules")),
        "containers": by_version(keras, part(written, "containers")),
        "weights_layouts": by_version(keras, part(read, "weights_layouts")),
        "checkpoint_names": by_version(keras, part(written, "checkpoint_names")),
        "forms": by_version(keras, part(written, "forms")),
        "computes": {
            "activations": alike(folder, "activations.npz", keras),
            "layers": alike(folder, "layers.npz", keras),
        },
        "classes": classes,
    }


def dynamic_range(written: Told, read: Told, version: dict[str, str]) -> dict[str, Any]:
    """Return operation → what becomes of its weights of 8 bits, with the runtime's own delegate and without.

    Of each version that converts: those that compute the same as it does itself. `delegated` are those in which the
    delegate changes anything at all.
    """
    found: dict[str, Any] = {}
    for op in next(iter(written.values()))["delegated"]:
        delegated = by_version(version, {lane: told["delegated"][op] for lane, told in written.items()})
        found[op] = {"delegated": [number for number, changes in delegated.items() if changes]}
        for key, way in (("same", "default"), ("same_without_delegates", "plain")):
            found[op][key] = by_version(version, {lane: _same(read, lane, op, way, version) for lane in written})
    return found


def _same(read: Told, writer: str, op: str, way: str, version: dict[str, str]) -> list[str]:
    apart = {lane: told["distances"][writer].get(op, {}).get(way) for lane, told in read.items()}
    within = by_version(version, {lane: far is not None and far <= SAME_WITHIN for lane, far in apart.items()})
    return [number for number, same in within.items() if same]


def runtimes_table(written: Told, read: Told, lanes: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return what each TensorFlow's graphs and TFLite runtime accept."""
    version = {name: lanes[name]["tensorflow"] for name in lanes}
    names = {number: name for told in written.values() for number, name in told["tflite_names"].items()}
    numbers = sorted({int(number) for told in written.values() for number in told["tflite"]})
    return {
        "lanes": lanes,
        "graph": by_version(version, part(written, "graph")),
        "unassigned_variable": by_version(version, part(written, "unassigned_variable")),
        "dynamic_range": dynamic_range(written, read, version),
        "tflite": {
            names[str(number)]: by_version(
                version,
                {lane: told["tflite"][str(number)] for lane, told in written.items() if str(number) in told["tflite"]},
            )
            for number in numbers
        },
        "allowed": allowed_values(written, version),
        "provenance": provenance(seeds=[11], command="python tools/lane_offers.py"),
    }


def one_line_each(table: dict[str, Any]) -> str:
    """Return JSON with a line for each entry of each part, so that changes can be read."""
    rooms = []
    for name, room in table.items():
        if isinstance(room, dict):
            entries = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in room.items())
            rooms.append(f" {json.dumps(name)}: {{\n{entries}\n }}")
        else:
            rooms.append(f" {json.dumps(name)}: {json.dumps(room)}")
    return "{\n" + ",\n".join(rooms) + "\n}\n"


def main() -> int:
    """Ask and write."""
    made = {name: made_lane(name).versions for name in (*VERSIONS, *ASKED)}
    # Of two lanes with one TensorFlow the one that is named after it alone comes first.
    names = sorted(made, key=lambda name: (number_of(made[name]["tensorflow"]), "+" in name, name))
    lanes = {name: made[name] for name in names}
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(sys.argv[1] if len(sys.argv) > 1 else temporary)
        place.mkdir(exist_ok=True)
        written, read = ask(names, place)
        keras = keras_table(place, written, read, {name: lanes[name]["keras"] for name in names})
        runtimes = runtimes_table(written, read, lanes)
    FOLDER.mkdir(exist_ok=True)
    write_text(OPERATIONS, operations_text(written, {name: lanes[name]["tensorflow"] for name in names}))
    write_text(RUNTIMES, one_line_each(runtimes))
    write_text(KERAS, one_line_each(keras))
    for path in (OPERATIONS, RUNTIMES, KERAS):
        print(f"{path.name}: {path.stat().st_size // 1000} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
