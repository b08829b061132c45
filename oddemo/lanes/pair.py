"""Files that one TensorFlow wrote, seen in another: live where both lanes are made, else as recorded before."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oddemo.errors import OddemoError
from oddemo.files import read_json
from oddemo.lanes.cache import Made, find_made
from oddemo.lanes.matrix import SAME_WITHIN
from oddemo.lanes.registry import find_lane
from oddemo.lanes.running import run_in_lane

MODULE = "oddemo_pair"


@dataclass(frozen=True)
class Seen:
    """What happened to one file.

    Attributes:
        name: `model/format` of the version matrix.
        producer: The lane that wrote it.
        consumer: The lane that read it.
        live: Whether it happened just now; otherwise it was recorded.
        error: What was said when it was read, None if nothing.
        difference: Largest difference of a score, None if there was an error.
        written: Scores that the writer gets from it, some of them.
        read: The same scores as the reader gets them; none if there was an error.
    """

    name: str
    producer: str
    consumer: str
    live: bool
    error: str | None
    difference: float | None
    written: tuple[float, ...]
    read: tuple[float, ...]

    @property
    def source(self) -> str:
        """In words, where this comes from."""
        return f"{'seen just now' if self.live else 'recorded'}: {self.producer} → {self.consumer}"

    @property
    def outcome(self) -> str:
        """`fails`, `changed` or `same`, as in the version matrix."""
        if self.difference is None:
            return "fails"
        return "changed" if self.difference > SAME_WITHIN else "same"


def see(names: Sequence[str], producer: str, consumer: str, recorded: Path) -> dict[str, Seen]:
    """Return name → what happens to a file that one lane writes and another reads.

    Args:
        names: Each `model/format` of the version matrix.
        producer: Name of the writing lane.
        consumer: Name of the reading lane.
        recorded: A file that `record` wrote; taken if one of the lanes is not made.

    Raises:
        OddemoError: If a lane is not made and nothing was recorded for them.
    """
    lanes = [find_made(find_lane(name)) for name in (producer, consumer)]
    first, second = lanes
    if first is not None and second is not None:
        lines, live = _run(names, first, second), True
    else:
        told = read_json(recorded)
        if (told["producer"], told["consumer"]) != (producer, consumer) or not set(names) <= set(told["files"]):
            raise OddemoError(
                f"Nothing was recorded of {', '.join(names)} from {producer} to {consumer}.",
                found=f"{', '.join(told['files'])} from {told['producer']} to {told['consumer']}",
                do=f"oddemo lanes make {producer}, and {consumer}",
            )
        lines, live = {name: told["files"][name] for name in names}, False
    return {
        name: Seen(
            name,
            producer,
            consumer,
            live,
            line["error"],
            line["difference"],
            tuple(line["written"]),
            tuple(line["read"]),
        )
        for name, line in lines.items()
    }


def record(names: Sequence[str], producer: Made, consumer: Made) -> dict[str, Any]:
    """Return what `see` falls back on, as JSON values."""
    files = _run(names, producer, consumer)
    return {"producer": producer.lane.name, "consumer": consumer.lane.name, "files": files}


def _run(names: Sequence[str], producer: Made, consumer: Made) -> dict[str, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        run_in_lane(producer, ["write", folder, *names], what=f"{producer.lane.name} writes", module=MODULE)
        printed = run_in_lane(consumer, ["read", folder, *names], what=f"{consumer.lane.name} reads", module=MODULE)
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return {str(line.pop("name")): line for line in lines}
