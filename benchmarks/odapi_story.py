"""What notebook 14 tells where the lane of the Object Detection API is not made: its audits, recorded with the lane.

    python -m benchmarks.odapi_story --out results/odapi_story.json --traces data/odapi/traces

Exports of the shipped detector, sound and broken, are made by the API's own exporters and audited on the built-in
validation pictures. The audits go to OUT; the detections that each deployment handed out, to TRACES.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.odapi import early_checkpoint
from oddemo.audit.images import ImageSet
from oddemo.audit.plant.odapi import ODAPI_PLANTS, ODAPIParts, build_odapi
from oddemo.audit.run import audit
from oddemo.audit.sources.odapi import ODAPISource
from oddemo.audit.trace import Trace, save_trace
from oddemo.audit.verdict import Audit
from oddemo.data.sample import data_folder, sample_dataset
from oddemo.detect.runtime import load_tensorflow
from oddemo.export.tflite import label_map_beside
from oddemo.files import write_json
from oddemo.lanes.running import lane_environment, made_lane, run_in_lane
from oddemo.progress import track
from oddemo.provenance import provenance

PICTURES = 24
#: The deployments that are told of, beside a sound one and a TFLite file.
TOLD = (
    "input_size/160",
    "score_threshold/0.4",
    "nms_iou/0.85",
    "wrong_checkpoint/early",
    "normalization_twice/client_first",
    "label_offset/client_subtracts",
)
#: How the export is called in a widely copied example, and how it is called in truth.
SAID = "from object_detection.exporter_main_v2 import export_inference_graph"
RIGHT = "from object_detection.exporter_lib_v2 import export_inference_graph"


def main() -> None:
    """Make every deployment, audit it, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/odapi_story.json"))
    parser.add_argument("--traces", type=Path, default=Path("data/odapi/traces"))
    options = parser.parse_args()
    detector = data_folder() / "odapi" / "inspection"
    source = ODAPISource(detector)
    dataset = sample_dataset("inspection")
    truth = dataset.subset([record.image_id for record in dataset.records[:PICTURES]])
    pictures = ImageSet(truth.root, tuple(record.file_name for record in truth.records))
    plants = {plant.name: plant.parts for plant in ODAPI_PLANTS}
    audits: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="oddemo-story-") as folder:
        work = Path(folder)
        early = early_checkpoint(work)
        for name in track(["sound", *TOLD, "tflite"], "deployments"):
            place = work / name.replace("/", "_")
            if name == "tflite":
                spec = tflite_export(detector, place)
            else:
                spec = build_odapi(plants.get(name, ODAPIParts()), detector, place, early=early)
            result = audit(source, spec, pictures, truth=truth)
            audits[name] = told_of(result)
            assert result.material is not None
            _keep(result.material.candidate, options.traces, name)
    _keep(source.trace(pictures), options.traces, "reference")
    imports = {line: _run_line(line) for line in (SAID, RIGHT)}
    stamp = provenance(seeds=[0], command="python -m benchmarks.odapi_story")
    lane = made_lane("odapi")
    told = {"pictures": list(pictures.names), "audits": audits, "imports": imports, "lane": lane.versions}
    write_json(options.out, told | {"provenance": stamp})


def tflite_export(detector: Path, folder: Path, *, max_detections: int = 10) -> str:
    """Export for TFLite as the API's documentation says: its graph, then TensorFlow's converter; return the source.

    Args:
        detector: With pipeline.config and checkpoint.
        folder: To make.
        max_detections: The exporter's flag of that name; 10 is its default.
    """
    tf = load_tensorflow()
    options: list[str | Path] = ["--out", folder, "--tflite", "--max-detections", str(max_detections)]
    run_in_lane(made_lane("odapi"), ["export", detector, *options], what="The export failed")
    file = folder / "model.tflite"
    file.write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved_model")).convert())
    label_map_beside(file).write_bytes((detector / "label_map.pbtxt").read_bytes())
    return f"tflite:{file}"


def told_of(result: Audit) -> dict[str, Any]:
    """Return what is kept of an audit."""
    return {
        "verdict": result.verdict,
        "first_divergence": result.comparison.first_divergence,
        "causes": [asdict(cause) for cause in result.causes],
        "delta_map": None if result.delta_map is None else asdict(result.delta_map),
        "stages": result.comparison.to_json(),
        "contract": dict(result.contract),
    }


def _keep(trace: Trace, folder: Path, name: str) -> None:
    """Write the detections of a trace alone: they are what a notebook draws, and small."""
    folder.mkdir(parents=True, exist_ok=True)
    # Where it ran is nobody's business; its kind is enough.
    alone = replace(trace, images=(), dense={}, provenance={}, source=trace.source.partition(":")[0] + ":" + name)
    save_trace(alone, folder / f"{name.replace('/', '_')}.npz", overwrite=True)


def _run_line(line: str) -> str:
    """Run a line in the lane and return the last line that it printed; empty if it said nothing."""
    code = f"from oddemo_odapi import shims; shims.install()\n{line}"
    command = [str(made_lane("odapi").python), "-W", "ignore", "-c", code]
    environment = lane_environment() | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return done.stderr.strip().splitlines()[-1].partition(" (")[0] if done.returncode else ""


if __name__ == "__main__":
    main()
