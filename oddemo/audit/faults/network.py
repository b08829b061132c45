"""Causes in the weights of the network, and in how it is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from oddemo.audit.faults.record import Evidence, Fault, Hypothesis

_NOTEBOOK = "11_weights_and_modes"


def _network(fault_id: str) -> Callable[[Evidence], Iterator[Hypothesis]]:
    """Return what proposes the other networks that would be this fault."""

    def propose(evidence: Evidence) -> Iterator[Hypothesis]:
        settings = evidence.settings
        for other in evidence.networks:
            network = replace(settings.network, **other.changes)
            if other.fault == fault_id and network != settings.network:
                changed = replace(settings, network=network, post=replace(settings.post, **other.post_changes))
                yield Hypothesis(fault_id, changed, other.claim, other.fix, rank=other.rank)

    return propose


def _activation(evidence: Evidence) -> Iterator[Hypothesis]:
    settings = evidence.settings
    ways = {
        "none": ("hands out raw logits as scores", "apply tf.sigmoid to the class logits, once"),
        "twice": ("applies the sigmoid twice", "remove the second tf.sigmoid: the export hands out scores already"),
    }
    for activation, (claim, fix) in ways.items():
        if activation != settings.post.activation:
            post = replace(settings.post, activation=activation)
            yield Hypothesis("score_activation", replace(settings, post=post), claim, fix)
    if settings.post.final_activation == "none":
        post = replace(settings.post, final_activation="sigmoid")
        claim = "applies the sigmoid once more to the scores that it hands out"
        yield Hypothesis("score_activation", replace(settings, post=post), claim, ways["twice"][1])


def _elsewhere(evidence: Evidence) -> Iterator[Hypothesis]:
    """No setting of the reference is another runtime: `oddemo.audit.elsewhere` runs the artefact here instead."""
    del evidence
    yield from ()


FAULTS = (
    Fault(
        id="tf_version",
        stage="pixels",
        shows_at="pixels",
        title="another TensorFlow, LiteRT or set of kernels",
        symptom="The same file says something else on the device, on the server, or after an upgrade.",
        cure="Train, export and run with one version, and evaluate in the runtime that is deployed.",
        notebook="13_version_mismatch",
        propose=_elsewhere,
        shows_until="detections",
    ),
    Fault(
        id="wrong_checkpoint",
        stage="features",
        shows_at="features",
        title="other weights",
        symptom="Some pictures agree, others do not; the metric is that of an earlier or another training.",
        cure="Export from the checkpoint that was evaluated, and compare weights fingerprints.",
        notebook=_NOTEBOOK,
        propose=_network("wrong_checkpoint"),
        shows_until="heads",
    ),
    Fault(
        id="ema_weights",
        stage="features",
        shows_at="features",
        title="raw instead of averaged weights, or the other way round",
        symptom="All scores are a little off, or nothing is found; the export is as good as a training without EMA.",
        cure="Decide which of the two sets is evaluated, and export that one.",
        notebook=_NOTEBOOK,
        propose=_network("ema_weights"),
        shows_until="heads",
    ),
    Fault(
        id="partial_restore",
        stage="features",
        shows_at="features",
        title="weights restored in part",
        symptom="Nothing is found, or random boxes; a warning about unresolved objects scrolled by.",
        cure="Restore strictly: assert_existing_objects_matched(), never a bare expect_partial().",
        notebook=_NOTEBOOK,
        propose=_network("partial_restore"),
        shows_until="heads",
    ),
    Fault(
        id="batchnorm_mode",
        stage="features",
        shows_at="features",
        title="batch normalisation in training mode",
        symptom="A picture's detections change with the batch it is in; a single picture is worst.",
        cure="Run and export with training=False.",
        notebook=_NOTEBOOK,
        propose=_network("batchnorm_mode"),
        shows_until="heads",
    ),
    Fault(
        id="quantization",
        stage="features",
        shows_at="features",
        title="quantised weights or activations",
        symptom="Everything is a little off, small and faint objects most; after a bad calibration, everything a lot.",
        cure="Calibrate with pictures preprocessed as in training, keep float16 or float32, or accept the stated cost.",
        notebook=_NOTEBOOK,
        propose=_network("quantization"),
        shows_until="detections",
    ),
    Fault(
        id="score_activation",
        stage="heads",
        shows_at="decoded",
        title="sigmoid missing or applied twice",
        symptom="All scores lie above 0.5, or outside [0, 1].",
        cure="Turn logits into scores exactly once.",
        notebook=_NOTEBOOK,
        propose=_activation,
    ),
)
