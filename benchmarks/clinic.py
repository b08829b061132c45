"""Does the audit solve all ten cases of the clinic, on the few pictures that the clinic has?

    python -m benchmarks.clinic --out results/clinic.json

The clinic is made by `oddemo clinic make` with one seed; each case is audited as its own note says.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from pathlib import Path
from typing import Any

from oddemo.audit.run import audit
from oddemo.audit.sources.tfvision import TFVisionSource
from oddemo.clinic.folder import key_of
from oddemo.clinic.making import make_clinic
from oddemo.clinic.patients import SOUND, Patient
from oddemo.data.coco import read_coco
from oddemo.files import write_json
from oddemo.progress import track
from oddemo.provenance import provenance

SEED = 11
_CANDIDATE = re.compile(r"--candidate (\w+):(\S+)")


def main() -> None:
    """Make the clinic, audit every case, write what was named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/clinic.json"))
    options = parser.parse_args()
    stamp = provenance(seeds=[SEED], command="python -m benchmarks.clinic")
    with tempfile.TemporaryDirectory(prefix="oddemo-clinic-") as temporary:
        start = time.perf_counter()
        clinic = make_clinic(Path(temporary) / "clinic", seed=SEED)
        made_seconds = time.perf_counter() - start
        worlds = {patient.world for _, patient in key_of(clinic)}
        references = {world: TFVisionSource(clinic / "trained" / world) for world in sorted(worlds)}
        trials = [trial(clinic, name, one, references[one.world]) for name, one in track(key_of(clinic), "cases")]
    sick, sound = ([one for one in trials if bool(one["planted"]) is state] for state in (True, False))
    summary = {
        "sick": len(sick),
        "named_whole": sum(one["named"] == one["planted"] for one in sick),
        "first_cause_right": sum(one["named"][:1] == one["planted"][:1] for one in sick),
        "sound": len(sound),
        "called_faithful": sum(one["verdict"] == SOUND for one in sound),
        "making_s": round(made_seconds, 1),
    }
    write_json(options.out, {"summary": summary, "trials": trials, "provenance": stamp})
    print(summary)


def trial(clinic: Path, name: str, patient: Patient, reference: TFVisionSource) -> dict[str, Any]:
    """Audit a case as its note says."""
    found = _CANDIDATE.search((clinic / name / "README.md").read_text(encoding="utf-8"))
    assert found is not None
    kind, place = found.groups()
    pictures = clinic / "pictures" / patient.world
    start = time.perf_counter()
    result = audit(reference, f"{kind}:{clinic / place}", pictures, truth=read_coco(pictures.with_suffix(".json")))
    delta = result.delta_map
    assert delta is not None
    return {
        "case": name,
        "world": patient.world,
        "kind": kind,
        "plants": list(patient.planted),
        "planted": [fault.id for fault in patient.faults],
        "named": [cause.id for cause in result.causes if cause.verified],
        "verdict": result.verdict,
        "first_divergence": result.comparison.first_divergence,
        "delta_map": {"point": round(delta.point, 4), "low": round(delta.low, 4), "high": round(delta.high, 4)},
        "pictures": result.comparison.images,
        "seconds": round(time.perf_counter() - start, 1),
    }


if __name__ == "__main__":
    main()
