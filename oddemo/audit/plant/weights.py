"""Faults in the weights that get exported."""

from __future__ import annotations

from oddemo.audit.plant.configured import TFLITE_REGULAR
from oddemo.audit.plant.record import Parts, Plant

PLANTS = (
    Plant(
        "wrong_checkpoint",
        "moved_a_little",
        "The export was made from another checkpoint of the same training.",
        Parts(weights_moved=0.02),
    ),
    Plant(
        "wrong_checkpoint",
        "moved_far",
        "The export was made from a checkpoint of another training.",
        Parts(weights_moved=0.2),
    ),
    Plant(
        "ema_weights",
        "other_set",
        "The averaged weights were evaluated, and the raw ones exported.",
        Parts(other_set=True),
    ),
    Plant(
        "partial_restore",
        "head_left_out",
        "Only backbone and feature pyramid were restored before the export; the head is as it was drawn.",
        Parts(left_out="head"),
        shows_at="heads",
    ),
    Plant(
        "batchnorm_mode",
        "learning_phase",
        "The learning phase of the training was still set when the graph was exported.",
        Parts(training_mode=True),
    ),
    Plant(
        "quantization",
        "dynamic",
        "The TFLite file keeps its weights in 8 bits (Optimize.DEFAULT).",
        Parts(tflite="dynamic"),
    ),
    Plant(
        "tf_version",
        "other_interpreter",
        "The TFLite file with 8-bit weights runs in another interpreter with other kernels, and was recorded there.",
        Parts(tflite="dynamic", elsewhere=True),
        shows_at="features",
    ),
    Plant(
        "quantization",
        "int8",
        "The TFLite file computes in 8-bit integers, calibrated on a few dozen pictures.",
        Parts({**TFLITE_REGULAR}, tflite="int8"),
    ),
)
