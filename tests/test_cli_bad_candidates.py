"""`oddemo audit` on serving functions and networks that fail or talk nonsense."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command_line import assert_refused, audit_command

_BOX = "[[1.0, 2.0, 30.0, 40.0]]"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise RuntimeError('out of memory')", ("failed on 000000.jpg", "RuntimeError: out of memory")),
        ("raise SystemExit(0)", ("failed on 000000.jpg", "SystemExit")),
        ("return None", ("does not return a dict", "NoneType")),
        ("return []", ("does not return a dict", "list")),
        ("return {}", ("no output for boxes", "no outputs")),
        (f"return {{'boxes': {_BOX}, 'scores': [0.5]}}", ("no output for classes", "boxes, scores")),
        (f"return {{'boxes': {_BOX}, 'scores': [0.5, 0.4], 'classes': [1]}}", ("do not fit together", "(2,)")),
        (f"return {{'boxes': [{_BOX}], 'scores': [[0.5]], 'classes': [[1]]}}", ("do not fit together", "(1, 1, 4)")),
        (f"return {{'boxes': {_BOX}, 'scores': [float('nan')], 'classes': [1]}}", ("not finite", "scores")),
        ("return {'boxes': [[float('inf'), 0, 1, 1]], 'scores': [0.5], 'classes': [1]}", ("not finite", "boxes")),
        (f"return {{'boxes': {_BOX}, 'scores': [0.5], 'classes': ['pit']}}", ("not an array of numbers", "'pit'")),
        (f"return {{'boxes': {_BOX}, 'scores': [0.5], 'classes': [1.5]}}", ("not whole numbers", "1.5")),
        ("return {'boxes': [[1, 2], [3]], 'scores': [0.5, 0.5], 'classes': [1, 1]}", ("not an array of numbers",)),
        (f"return {{'boxes': {_BOX}, 'scores': [0.5], 'classes': [1], 'count': 7}}", ("count", "0 to 1", "[7]")),
    ],
)
def test_a_function_that_fails_or_talks_nonsense(bench, oddemo, tmp_path, body, words):
    script = tmp_path / "serve.py"
    script.write_text(f"def detect(image):\n    {body}\n")
    assert_refused(
        oddemo(*audit_command(bench, candidate=f"python:{script}:detect")), f"python:{script}:detect", *words
    )


def test_a_script_that_cannot_be_imported_or_lacks_the_function(bench, oddemo, tmp_path):
    script = tmp_path / "serve.py"
    command = audit_command(bench, candidate=f"python:{script}:detect")
    for content, words in {
        "import no_such_module_anywhere": ("cannot be imported", "no_such_module_anywhere"),
        "def detect(image:": ("cannot be imported", "SyntaxError"),
        "exit(0)": ("cannot be imported", "SystemExit"),
        "def predict(image): return {}": ("no function 'detect'", "predict"),
        "detect = 3": ("no function 'detect'",),
        "def detect(): return {}": ("failed on 000000.jpg", "TypeError"),
    }.items():
        script.write_text(content)
        assert_refused(oddemo(*command), *words)


def test_nan_inside_a_network_is_told(bench, oddemo, tmp_path):
    import tensorflow as tf

    from oddemo.detect.detector import load_detector
    from oddemo.export.saved_model import export_saved_model

    detector = load_detector(bench.detector)
    variable = detector.model.trainable_variables[-1]
    variable.assign(np.full(variable.shape, np.nan, np.float32))
    checkpoint = Path(tf.train.Checkpoint(model=detector.model).save(str(tmp_path / "ckpt")))
    export = export_saved_model(bench.detector, tmp_path / "export", checkpoint=checkpoint, layer_functions=False)
    ended = oddemo(*audit_command(bench, candidate=f"savedmodel:{export}"))
    assert_refused(ended, "not finite", "diverged weights")
