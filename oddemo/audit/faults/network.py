"""Causes in the weights of the network, and in how it is run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from oddemo.audit.faults.record import Evidence, Fault, Hypothesis

_NOTEBOOK = "11_weights_and_modes"


def _checkpoint(evidence: Evidence) -> Iterator[Hypothesis]:
    settings = evidence.settings
    for name in evidence.weights:
        if name != settings.network.weights:
            where = (
                "its own weights, which are not the reference's" if name == "candidate" else f"the weights of {name}"
            )
            yield Hypothesis(
                "wrong_checkpoint",
                replace(settings, network=replace(settings.network, weights=name)),
                f"runs with {where}",
                "export again from the checkpoint that was evaluated: pass its full prefix, such as DIR/ckpt-3000",
                rank=2,
            )


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


FAULTS = (
    Fault(
        id="wrong_checkpoint",
        stage="features",
        shows_at="features",
        title="other weights",
        symptom="Some pictures agree, others do not; the metric is that of an earlier or another training.",
        cure="Export from the checkpoint that was evaluated, and compare weights fingerprints.",
        notebook=_NOTEBOOK,
        propose=_checkpoint,
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
