"""Traces on disk: what is saved is what is read, and damaged files end in one clear message."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oddemo.audit.trace import Trace, load_trace, save_trace
from oddemo.data.records import Detections
from oddemo.errors import OddemoError


@pytest.fixture
def trace() -> Trace:
    rng = np.random.default_rng(0)
    return Trace(
        source="savedmodel:somewhere",
        image_names=("a/b.jpg", "c d.png"),
        images=tuple(rng.integers(0, 255, (size, 7, 3), dtype=np.uint8) for size in (5, 6)),
        dense={"heads": {"class_logits": rng.normal(size=(2, 9, 4)).astype(np.float32)}},
        detections=(Detections([[1, 2, 3, 4]], [0.5], [2]), Detections([], [], [])),
        labels=("one", "two"),
        provenance={"versions": {"numpy": np.__version__}},
    )


def test_a_trace_comes_back_as_it_was(trace, tmp_path):
    read = load_trace(save_trace(trace, tmp_path / "t.npz"))
    assert read.image_names == trace.image_names
    assert read.labels == trace.labels
    assert read.provenance == trace.provenance
    assert read.stages == trace.stages == ("image", "heads", "detections", "labels")
    for first, second in zip(read.images, trace.images, strict=True):
        np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(read.dense["heads"]["class_logits"], trace.dense["heads"]["class_logits"])
    for first, second in zip(read.detections, trace.detections, strict=True):
        np.testing.assert_array_equal(first.boxes_yxyx_px, second.boxes_yxyx_px)
        np.testing.assert_array_equal(first.class_ids, second.class_ids)


def test_nothing_is_overwritten_unasked(trace, tmp_path):
    path = save_trace(trace, tmp_path / "t.npz")
    before = path.read_bytes()
    with pytest.raises(OddemoError, match="not overwritten"):
        save_trace(trace, path)
    assert path.read_bytes() == before
    save_trace(trace, path, overwrite=True)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_file_never_raises_anything_else(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("damaged") / "t.npz"
    plain = Trace("s:1", ("a",), (), {"pixels": {"pixels": np.zeros((1, 2, 2, 3), np.float32)}}, ())
    content = bytearray(save_trace(plain, path).read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content))
    with contextlib.suppress(OddemoError):
        load_trace(path)


def test_pickled_objects_are_not_loaded(tmp_path):
    path = tmp_path / "t.npz"
    np.savez(path, meta=np.array([{"format": 1}], dtype=object))
    with pytest.raises(OddemoError, match="cannot be read"):
        load_trace(path)


def test_another_format_is_refused(tmp_path):
    path = tmp_path / "t.npz"
    np.savez(path, meta=np.frombuffer(json.dumps({"format": 99}).encode(), np.uint8))
    with pytest.raises(OddemoError, match="another format"):
        load_trace(path)


def test_a_trace_of_no_pictures_proves_nothing():
    with pytest.raises(OddemoError, match="proves nothing"):
        Trace("s:1", (), (), {}, ())
