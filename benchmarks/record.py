"""What a trial of the fault benchmark is, on what it runs, and what is kept of it."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks import baselines
from oddemo.audit.verdict import Audit
from oddemo.data.records import Dataset
from oddemo.files import write_json

#: Of the pictures of faults, of the faithful variations, and of the choice of pairs.
FAULT_SEED, FAITHFUL_SEED, PAIR_SEED = 7001, 8001, 9003
PICTURES = 24


@dataclass(frozen=True)
class Trial:
    """One audit of which the right answer is known.

    Attributes:
        name: Unique.
        kind: `single`, `pair` or `faithful`.
        detector: Name of the reference.
        planted: The planted faults; none for a faithful one.
        shows_at: Stage at which a single fault shows first where every stage is seen.
        held_out: Whether nothing was tuned on it.
    """

    name: str
    kind: str
    detector: str
    planted: tuple[str, ...]
    shows_at: str
    held_out: bool


def path_of(trial: Trial, work: Path) -> Path:
    """Return where a trial's result is kept."""
    return work / f"{hashlib.sha256(trial.name.encode()).hexdigest()[:16]}.json"


def lot(detector: str, first: str, second: str) -> str:
    """Return the lot of a pair: it depends on nothing else, so a new plant leaves all other lots as they are."""
    return hashlib.sha256(f"{PAIR_SEED} {detector} {first} {second}".encode()).hexdigest()


def tag_every_third(dataset: Dataset, folder: Path) -> Dataset:
    """Copy pictures, every third with an EXIF tag that asks for a turn; the pixels stay as they are."""
    from PIL import Image

    for number, record in enumerate(dataset.records):
        copy = folder / record.file_name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(dataset.image_path(record), copy)
        if number % 3 == 0:
            with Image.open(copy) as picture:
                tag = picture.getexif()
                tag[0x0112] = (3, 6, 8)[number // 3 % 3]
                picture.save(copy, quality="keep", exif=tag)
    return replace(dataset, root=folder)


def keep(trial: Trial, result: Audit, seconds: float, path: Path) -> None:
    """Write one trial with the opinions of the baselines."""
    assert result.material is not None
    reference, candidate = result.material.reference, result.material.candidate
    pixels = result.comparison.stage("pixels").status
    opinions = {
        "final_outputs_allclose": baselines.final_outputs_allclose(reference, candidate),
        "layers_allclose": baselines.layers_allclose(reference, candidate, pixels == "equal"),
        "input_assertions": baselines.input_assertions(reference, candidate),
    }
    if result.delta_map is not None:
        opinions["delta_map_alone"] = baselines.delta_map_alone(result.delta_map)
    detections = result.comparison.stage("detections")
    write_json(
        path,
        {
            **asdict(trial),
            "commit": result.provenance["commit"],
            "verdict": result.verdict,
            "first_divergence": result.comparison.first_divergence,
            "stages_seen": list(result.comparison.compared),
            "causes": [{"id": c.id, "verified": c.verified, "claim": c.claim, "also": c.also} for c in result.causes],
            "delta_map": None if result.delta_map is None else asdict(result.delta_map),
            "detections_differ": detections.status == "differs"
            or result.comparison.stage("labels").status == "differs",
            "seconds": round(seconds, 2),
            "baselines": {name: asdict(opinion) for name, opinion in opinions.items()},
        },
    )
