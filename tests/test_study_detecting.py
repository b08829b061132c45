"""The detector studies' own numbers: against the evaluator of COCO, and one real run on blood cells."""

from __future__ import annotations

import pytest

from oddemo.data.sample import sample_dataset
from oddemo.errors import OddemoError
from oddemo.metrics.coco import coco_metrics
from oddemo.study import augmentation, imbalance, label_noise
from oddemo.study.changes import TakeAsMany, TakeFew, one_of
from oddemo.study.design import as_json
from oddemo.study.detecting import DetectorTrial, precision_of


def test_rare_and_common_are_parts_of_the_evaluators_numbers(inspection_detector):
    from oddemo.detect.detector import load_detector

    dataset = sample_dataset("inspection")
    found = load_detector(inspection_detector).predict(dataset)
    told = precision_of(dataset, found, rare=("crack", "Platelets"))
    oracle = coco_metrics(dataset, found)
    assert told["ap"] == pytest.approx(oracle.ap)
    assert told["ap50"] == pytest.approx(oracle.ap50)
    assert told["rare_ap50"] == pytest.approx(oracle.ap50_per_class["crack"])
    others = [value for name, value in oracle.ap_per_class.items() if name != "crack"]
    assert told["common_ap"] == pytest.approx(sum(others) / 4)
    assert told["ap_pit"] == pytest.approx(oracle.ap_per_class["pit"])
    assert "rare_ap" not in precision_of(dataset, found)


@pytest.mark.usefixtures("few_cells")
def test_a_real_run_on_real_pictures(tmp_path):
    trial = DetectorTrial(changes=(TakeFew(12),), recipe={"steps": 3}, rare=("Platelets",), measured_on="val")
    shared = trial.prepare("bccd", tmp_path)
    assert set(shared["pictures"]) == {"train", "val"}
    measured = trial.measure("bccd", 1, tmp_path, tmp_path / "scratch")
    assert measured["training_pictures"] == 12
    assert {"ap", "ap50", "rare_ap", "common_ap50", "ap_RBC"} <= set(measured)
    assert all(0 <= value <= 1 for name, value in measured.items() if name.endswith(("ap", "ap50")))


def test_the_conditions_of_a_study_differ_where_they_say():
    for study in (augmentation.STUDY, imbalance.STUDY, label_noise.STUDY):
        trials = {condition.name: as_json(condition.trial) for condition in study.conditions}
        assert len({str(trial) for trial in trials.values()}) == len(trials)
    plain = next(one.trial for one in imbalance.STUDY.conditions if one.name == "rare")
    for condition in imbalance.STUDY.conditions:
        if condition.name != "plenty":
            assert condition.trial.changes[: len(plain.changes)] == plain.changes
    mixed, cleaned = (next(c.trial for c in label_noise.STUDY.conditions if c.name == n) for n in ("mixed", "cleaned"))
    assert as_json(cleaned) == as_json(mixed) | {"clean_folds": 2}


def test_as_many_pictures_as_the_rare_set_has(bccd_root, tmp_path):
    from oddemo.data.voc import read_voc

    dataset = read_voc(bccd_root, "train")
    rare = imbalance.PLANTED.apply(dataset, seed=1, folder=tmp_path)
    assert len(TakeAsMany(imbalance.PLANTED).apply(dataset, seed=1, folder=tmp_path)) == len(rare) < len(dataset)
    platelets = dataset.class_names.index("Platelets") + 1
    assert sum(platelets in record.class_ids for record in rare.records) == imbalance.WITH_RARE
    with pytest.raises(OddemoError, match="not plain"):
        one_of(("crack", "pit"), dataset)
