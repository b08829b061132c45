"""A SavedModel without the functions that its signature does not run says the same, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from oddemo.audit.sources.reduced import reduced
from oddemo.detect.runtime import load_tensorflow

SERVING = "serving_default"


def functions_in(folder: Path) -> int:
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    return sum(len(meta_graph.graph_def.library.function) for meta_graph in model.meta_graphs)


def said(folder: Path, *fed: object) -> dict[str, np.ndarray]:
    """What the signature returns, its variables read anew."""
    tf = load_tensorflow()
    loaded = tf.saved_model.load(str(folder))
    signature = loaded.signatures[SERVING]
    names = signature.structured_input_signature[1]
    return {
        name: value.numpy() for name, value in signature(**dict(zip(names, map(tf.constant, fed), strict=True))).items()
    }


def assert_same(folder: Path, *fed: object) -> None:
    whole = said(folder, *fed)
    with reduced(folder, SERVING) as place:
        assert functions_in(place) <= functions_in(folder)
        part = said(place, *fed)
    assert set(part) == set(whole)
    for name, value in whole.items():
        np.testing.assert_array_equal(part[name], value, err_msg=name)


def test_an_export_of_the_layers_keeps_what_its_signature_runs(sound_export):
    folder = sound_export("inspection", "image_tensor")
    picture = np.random.default_rng(0).integers(0, 255, (2, 96, 128, 3), np.uint8)
    assert_same(folder, picture)
    with reduced(folder, SERVING) as place:
        assert functions_in(place) < functions_in(folder) / 4
        assert (place / "variables").resolve() == (folder / "variables").resolve()
    assert not place.exists()


def test_where_nothing_can_be_linked_it_is_copied(sound_export, monkeypatch):
    folder = sound_export("inspection", "signature_alone")
    monkeypatch.setattr(Path, "symlink_to", refused)
    with reduced(folder, SERVING) as place:
        assert not (place / "variables").is_symlink()
        assert {file.name for file in (place / "variables").iterdir()} == {
            file.name for file in (folder / "variables").iterdir()
        }


def refused(*_: object, **__: object) -> None:
    raise OSError("a required privilege is not held by the client")


def test_tables_files_and_functions_in_functions_are_kept(tmp_path):
    tf = load_tensorflow()
    names = tmp_path / "names.txt"
    names.write_text("crack\nstain\n")

    class Model(tf.Module):
        def __init__(self):
            initializer = tf.lookup.TextFileInitializer(
                str(names), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
            )
            self.table = tf.lookup.StaticHashTable(initializer, -1)
            self.count = tf.Variable(3, dtype=tf.int64)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def serve(self, words):
            start = (tf.constant(0, tf.int64), tf.constant(0, tf.int64))
            total = tf.while_loop(lambda n, _: n < self.count, lambda n, s: (n + 1, s + self.inner(n)), start)[1]
            return {"ids": self.table.lookup(words), "total": total}

        @tf.function
        def inner(self, number):
            return tf.cond(number > 1, lambda: tf.constant(10, tf.int64), lambda: number)

        @tf.function(input_signature=[])
        def never_served(self):
            return self.count + 1

    model = Model()
    tf.saved_model.save(model, str(tmp_path / "export"), signatures=model.serve)
    assert_same(tmp_path / "export", np.array([b"stain", b"hole", b"crack"]))
    with reduced(tmp_path / "export", SERVING) as place:
        assert said(place, np.array([b"stain"]))["total"] == 0 + 1 + 10
        assert not hasattr(tf.saved_model.load(str(place)), "never_served")


def test_of_before_tensorflow_2(tmp_path):
    tf = load_tensorflow()
    v1 = tf.compat.v1
    with v1.Graph().as_default(), v1.Session() as session:
        fed = v1.placeholder(tf.float32, [None, 3], name="fed")
        weights = v1.get_variable("weights", initializer=np.float32([[1], [2], [4]]), use_resource=True)
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(tmp_path / "old"), {"fed": fed}, {"sum": fed @ weights})
    assert_same(tmp_path / "old", np.float32([[1, 1, 1], [0, 0, 2]]))


@pytest.mark.parametrize("signature", [SERVING, "no_such_signature"])
def test_only_what_the_signature_runs_is_kept_from_writing(tmp_path, signature):
    tf = load_tensorflow()

    class Counter(tf.Module):
        def __init__(self):
            self.count = tf.Variable(5.0)

        @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
        def serve(self, step):
            return {"count": self.count.assign_add(step)}

    model = Counter()
    tf.saved_model.save(model, str(tmp_path / "export"), signatures=model.serve)
    with reduced(tmp_path / "export", signature) as place:
        signature_of = tf.saved_model.load(str(place)).signatures
        counts = [float(signature_of[SERVING](step=tf.constant(1.0))["count"]) for _ in range(2)]
    assert counts == ([5.0, 5.0] if signature == SERVING else [6.0, 7.0])
