"""Checkpoints, fingerprints of weights, and how two sets of weights are related."""

from __future__ import annotations

import json

import pytest
from card_artefacts import made

from oddemo.export.cards import compare_weights, read_card


def test_a_checkpoint_tells_weights_only_and_its_folder_names_the_newest() -> None:
    card = read_card(made() / "trained")
    assert card.kind == "checkpoint"
    assert card.path.endswith("ckpt-4")
    assert not any(fact.known for fact in card.facts.values())
    assert card.weights is not None
    assert card.weights.average_tensors == 8
    for place in ("trained/ckpt-4", "trained/ckpt-4.index"):
        assert read_card(made() / place).weights == card.weights


def test_the_average_of_keras_own_optimizers_is_found_too() -> None:
    weights = read_card(made() / "keras_ema").weights
    assert weights is not None
    assert weights.average_tensors == 8


@pytest.mark.parametrize(
    ("first", "second", "relation"),
    [
        ("trained", "raw/w", "same"),
        ("trained", "raw_export", "same"),
        ("raw/w", "raw_export", "same"),
        ("keras3.keras", "keras3.h5", "same"),
        ("keras3.keras", "keras3.weights.h5", "same"),
        ("trained", "averaged/w", "averaged"),
        ("averaged/w", "trained", "averaged"),
        ("raw/w", "averaged/w", "averaged"),
        ("raw/w", "next_step/w", "same_run"),
        ("raw/w", "other_seed/w", "other_checkpoint"),
        ("raw/w", "partial/w", "partial_restore"),
        ("partial/w", "raw/w", "partial_restore"),
        ("raw/w", "new_head/w", "part"),
        ("raw/w", "combined", "other_architecture"),
        ("combined", "stretched.tflite", "same"),
        ("float32.tflite", "dynamic.tflite", "same"),
        ("float32.tflite", "int8.tflite", "unknown"),
        ("raw/w", "float32.tflite", "unknown"),
    ],
)
def test_how_two_sets_of_weights_are_related(first: str, second: str, relation: str) -> None:
    found = compare_weights(made() / first, made() / second)
    assert found.relation == relation, found.meaning
    if relation == "partial_restore":
        assert f"in the {'second' if first == 'raw/w' else 'first'} one" in found.meaning
    if relation == "part":
        assert set(found.different) == {"third/kernel", "third/bias"}
    json.dumps(found.to_json())


def test_fingerprints_do_not_depend_on_names_order_or_format() -> None:
    prints = {read_card(made() / name).weights.fingerprint for name in ("trained", "raw", "raw_export")}
    assert len(prints) == 1
    averaged = read_card(made() / "averaged").weights.fingerprint
    assert averaged not in prints
    keras = {read_card(made() / f"keras3.{kind}").weights.fingerprint for kind in ("keras", "h5", "weights.h5")}
    assert len(keras) == 1
