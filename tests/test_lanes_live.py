"""Two real lanes: another TensorFlow, and the Object Detection API. They are made over the network, 1.3 GB each.

Run where ODDEMO_TEST_LANES is set, as the continuous integration does; lanes that are there already are used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from oddemo.audit.compare import compare_traces
from oddemo.audit.images import ImageSet
from oddemo.audit.plant.build import with_script
from oddemo.audit.plant.odapi import ODAPI_PLANTS, ODAPIParts
from oddemo.audit.run import audit
from oddemo.audit.sources.odapi import ODAPISource
from oddemo.audit.sources.parse import parse_source
from oddemo.audit.trace import load_trace
from oddemo.data.sample import data_folder, sample_dataset
from oddemo.errors import OddemoError
from oddemo.export.cards import read_card
from oddemo.export.loading.predict import predict
from oddemo.lanes.making import make_lane
from oddemo.lanes.registry import find_lane
from oddemo.lanes.running import lane_environment, run_in_lane

pytestmark = pytest.mark.skipif(
    not os.environ.get("ODDEMO_TEST_LANES"), reason="set ODDEMO_TEST_LANES=1 to make two lanes and test in them (2 min)"
)
DETECTOR = data_folder() / "odapi" / "inspection"
#: Notebook 14 makes the export that takes uint8, with a threshold, and audits it in the same lane.
INPUT_TYPE = "float_image_tensor"


@pytest.fixture(scope="module")
def pictures():
    dataset = sample_dataset("inspection")
    return ImageSet(dataset.root, tuple(record.file_name for record in dataset.records[:6]))


@pytest.fixture(scope="module")
def odapi_lane():
    return make_lane(find_lane("odapi"))


@pytest.fixture(scope="module")
def reference(odapi_lane):
    return ODAPISource(DETECTOR)


@pytest.fixture(scope="module")
def export(odapi_lane, tmp_path_factory):
    """What the real exporter_main_v2 makes of the shipped checkpoint."""
    out = tmp_path_factory.mktemp("odapi") / "export"
    command = ["export", DETECTOR, "--out", out, "--input-type", INPUT_TYPE]
    run_in_lane(odapi_lane, command, what="The export failed")
    return out / "saved_model"


@pytest.fixture(scope="module")
def later_tensorflow():
    return make_lane(find_lane("tf2.18"))


def test_what_the_exporter_writes_is_faithful(reference, export, pictures):
    result = audit(reference, f"savedmodel:{export}", pictures)
    assert result.verdict == "faithful"
    assert result.contract["differences"] == []
    assert result.contract["weights"]["relation"] == "same"
    assert {"image", "pixels", "heads", "decoded", "detections", "labels"} <= set(result.comparison.compared)
    found = reference.trace(pictures).detections
    assert sum(int((one.scores > 0.5).sum()) for one in found) > 6


def test_the_checkpoint_finds_what_is_in_the_pictures(reference, pictures):
    truth = sample_dataset("inspection").records[: len(pictures)]
    hits = total = 0
    for record, found in zip(truth, reference.trace(pictures).detections, strict=True):
        sure = found.scores > 0.3
        for box, class_id in zip(record.boxes_yxyx_px, record.class_ids, strict=True):
            near = np.abs(found.boxes_yxyx_px[sure & (found.class_ids == class_id)] - box) < 12.0
            hits += bool(near.all(axis=1).any())
            total += 1
    assert hits >= 0.6 * total > 0


def test_the_network_on_the_bench_says_what_the_api_says(reference, pictures):
    seen, bench = reference.trace(pictures), reference.bench
    again = bench.trace(pictures, bench.settings)
    compared = compare_traces(seen, again, score_floor=bench.settings.post.score_threshold)
    assert compared.first_divergence is None
    assert {"pixels", "heads", "decoded", "detections"} <= set(compared.compared)


def test_a_script_that_normalises_again_is_named_from_detections_alone(reference, export, pictures, tmp_path):
    parts = next(one for one in ODAPI_PLANTS if one.fault == "normalization_twice").parts
    assert parts == ODAPIParts(input_type=INPUT_TYPE, client=parts.client)
    deployed = shutil.copytree(export, tmp_path / "saved_model")
    result = audit(reference, with_script(str(parts.client), deployed), pictures)
    assert [(cause.id, cause.verified) for cause in result.causes] == [("normalization_twice", True)]


def test_a_label_map_that_is_shifted_shows_at_the_labels(reference, export, pictures, tmp_path):
    shifted = tmp_path / "saved_model"
    shutil.copytree(export, shifted)
    names = reference.trace(pictures).labels
    turned = [*names[1:], names[0]]
    items = (f'item {{\n  id: {number}\n  name: "{name}"\n}}\n' for number, name in enumerate(turned, 1))
    (shifted / "label_map.pbtxt").write_text("".join(items))
    result = audit(reference, f"savedmodel:{shifted}", pictures)
    assert result.exit_status == 1
    assert result.comparison.first_divergence == "labels"
    assert [(cause.id, cause.verified) for cause in result.causes] == [("label_map", True)]


def test_an_export_for_other_classes_ends_well_and_its_card_says_that_nobody_can_load_it(odapi_lane, tmp_path):
    out = tmp_path / "export"
    command = ["export", DETECTOR, "--out", out, "--override", "model { ssd { num_classes: 6 } }"]
    run_in_lane(odapi_lane, command, what="The export failed")
    said = [note for note in read_card(out / "saved_model").notes if "cannot be loaded" in note]
    assert len(said) == 1
    assert "Was it exported for another number of classes?" in said[0]
    assert predict(out / "saved_model", "tensorflow==2.15").outcome == "fails"
    with pytest.raises(OddemoError, match="num_classes in pipeline"):
        parse_source(f"savedmodel:{out / 'saved_model'}")


def test_the_recorder_sees_the_same_in_another_tensorflow(reference, export, pictures, later_tensorflow, tmp_path):
    out = tmp_path / "deployed.npz"
    folder = tmp_path / "pictures"
    for name, path in zip(pictures.names, pictures.paths, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / name)
    recording = ["record-savedmodel", export, "--images", folder, "--out", out]
    run_in_lane(later_tensorflow, recording, what="Recording failed")
    assert load_trace(out).provenance["versions"]["tensorflow"].startswith("2.18.")
    assert audit(reference, f"trace:{out}", pictures).verdict == "faithful"


def test_what_the_lane_leaves_out_is_never_faked(odapi_lane):
    code = (
        "from oddemo_odapi import shims; shims.install()\n"
        "from object_detection.metrics import coco_tools\n"
        "coco_tools.COCOWrapper({'images': [], 'annotations': []})"
    )
    command = [str(odapi_lane.python), "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=lane_environment())
    assert done.returncode == 1
    assert "pycocotools.coco.COCO is not in this lane" in done.stderr


def test_the_command_line_reaches_the_lane(odapi_lane):
    command = [sys.executable, "-m", "oddemo", "lanes", "run", "odapi", "record", "nowhere", "--images", "nowhere"]
    done = subprocess.run([*command, "--out", "t.npz"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "does not exist" in done.stderr
