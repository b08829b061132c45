"""Writing Pascal VOC against the reader, and the comparison of two datasets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oddemo.data.agreement import compare_truth
from oddemo.data.records import Dataset, ImageRecord
from oddemo.data.sample import sample_dataset
from oddemo.data.voc import read_voc, voc_splits
from oddemo.data.voc_write import voc_annotation, write_voc
from oddemo.data.voc_xml import read_annotation
from oddemo.errors import OddemoError

side = st.floats(1.01, 200) | st.integers(2, 200).map(float)
start = st.floats(-5, 300) | st.integers(0, 300).map(float)
box = st.tuples(start, start, side, side).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))


@settings(max_examples=60, deadline=None)
@given(boxes=st.lists(box, max_size=4), data=st.data())
def test_what_is_written_is_read_again(boxes, data, tmp_path_factory):
    names = ("plain", "Ünïcode & <b>")
    ids = [data.draw(st.integers(1, 2)) for _ in boxes]
    record = ImageRecord(7, "deep/down/a.jpg", (240, 320), boxes, ids)
    path = tmp_path_factory.mktemp("voc") / "a.xml"
    path.write_text(voc_annotation(record, names), encoding="utf-8")
    found = read_annotation(path)
    assert (found.file_name, found.image_size_hw_px) == ("a.jpg", (240, 320))
    assert found.names == tuple(names[k - 1] for k in ids)
    np.testing.assert_allclose(np.reshape(found.boxes_yxyx_px, (-1, 4)), record.boxes_yxyx_px, atol=1e-9)


def test_the_whole_picture_is_one_to_its_size():
    xml = voc_annotation(ImageRecord(1, "a.jpg", (240, 320), [[0, 0, 240, 320]], [1]), ("all",))
    for text in ("<xmin>1</xmin>", "<ymin>1</ymin>", "<xmax>320</xmax>", "<ymax>240</ymax>"):
        assert text in xml


def test_a_sample_goes_there_and_back(tmp_path):
    sample = sample_dataset("wildlife")
    write_voc(sample, tmp_path / "voc", split="val")
    again = read_voc(tmp_path / "voc", "val")
    agreement = compare_truth(sample, again)
    assert (agreement.images, agreement.boxes) == (48, 116)
    assert agreement.other_class == agreement.largest_shift_px == 0
    # read_voc sorts the classes by name: other ids, same names.
    assert again.class_names != sample.class_names
    assert voc_splits(tmp_path / "voc") == ("val",)
    first = sample.records[0]
    assert (tmp_path / "voc" / "JPEGImages" / "000000.jpg").read_bytes() == sample.image_path(first).read_bytes()
    with pytest.raises(OddemoError, match="not overwritten"):
        write_voc(sample, tmp_path / "voc")


@pytest.mark.parametrize("bad", [[3, 4, 3, 40], [3, 4, 40, 5], [9, 9, 2, 2]])
def test_what_voc_cannot_hold_is_refused_and_leaves_nothing(bad, tmp_path):
    sample = sample_dataset("wildlife")
    record = replace(sample.records[1], boxes_yxyx_px=[bad], class_ids=[1])
    with pytest.raises(OddemoError, match="box 0 is too small"):
        write_voc(replace(sample, records=(sample.records[0], record)), tmp_path / "voc")
    assert not list(tmp_path.iterdir())


def test_same_names_and_missing_pictures_are_refused(tmp_path):
    records = tuple(ImageRecord(k, f"{k}/a.jpg", (9, 9), [], []) for k in (1, 2))
    with pytest.raises(OddemoError, match="same name"):
        write_voc(Dataset("twice", tmp_path, ("x",), records), tmp_path / "voc")
    with pytest.raises(OddemoError, match="does not exist"):
        write_voc(Dataset("gone", tmp_path, ("x",), records[:1]), tmp_path / "voc")
    with pytest.raises(OddemoError, match="same name"):
        compare_truth(Dataset("twice", tmp_path, ("x",), records), Dataset("twice", tmp_path, ("x",), records))


def test_differences_between_datasets_are_counted():
    sample = sample_dataset("inspection")
    moved = replace(sample.records[2], boxes_yxyx_px=sample.records[2].boxes_yxyx_px + np.array([0, 0.5, 0, 0]))
    changed = replace(sample, records=(*sample.records[:2], moved, *sample.records[3:]))
    assert compare_truth(sample, changed).largest_shift_px == pytest.approx(0.5)
    assert "largest shift 0.500 px" in str(compare_truth(sample, changed))
    renamed = replace(sample, class_names=("dent", *sample.class_names[1:]))
    assert compare_truth(sample, renamed).other_class == 27
    fewer = replace(sample.records[2], boxes_yxyx_px=[], class_ids=[])
    with pytest.raises(OddemoError, match="number of boxes"):
        compare_truth(sample, replace(sample, records=(*sample.records[:2], fewer, *sample.records[3:])))
    with pytest.raises(OddemoError, match="same pictures"):
        compare_truth(sample, replace(sample, records=sample.records[1:]))
