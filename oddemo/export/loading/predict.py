"""What becomes of an artefact in a runtime: read statically, compared with what that runtime offers."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from oddemo.errors import OddemoError
from oddemo.export.cards.read import guarded, kind_of
from oddemo.export.loading.offers import Runtime
from oddemo.export.loading.record import UNKNOWN, Prediction, Reading, Reason
from oddemo.export.loading.target import Target, parse_target

#: Kind of artefact → module and function with its rules.
_RULES = {
    "saved_model": ("graph_rules", "saved_model_readings"),
    "tflite": ("tflite_rules", "tflite_readings"),
    "checkpoint": ("checkpoint_rules", "checkpoint_readings"),
    "tfvision": ("checkpoint_rules", "checkpoint_readings"),
    "odapi": ("checkpoint_rules", "checkpoint_readings"),
    "keras": ("keras_rules", "keras_readings"),
    "h5": ("keras_rules", "keras_readings"),
}


def predict(path: Path | str, target: Target | str) -> Prediction:
    """Say whether a runtime loads an artefact, loads it and changes it, or does not load it, and why.

    Nothing in the artefact is executed and TensorFlow is not imported. "Loads" means that the runtime has all that the
    artefact asks for and that nothing is known of which it makes something else; only a run can prove that.

    Args:
        path: As for `read_card`.
        target: A runtime, or its text such as `tensorflow==2.15`.

    Raises:
        OddemoError: If the artefact cannot be read, or nothing is known of the runtime.
    """
    chosen = parse_target(target) if isinstance(target, str) else target
    kind, place = kind_of(Path(path))
    each = guarded(path, lambda: [_rules(kind)(place, runtime) for runtime in chosen.runtimes])
    readings = each[0] if len(each) == 1 else tuple(_agreed(ways, chosen) for ways in zip(*each, strict=True))
    notes = [chosen.note] if chosen.note else []
    notes += _notes(kind, readings)
    return Prediction(str(path), kind, chosen, readings, tuple(notes))


def _rules(kind: str) -> Callable[[Path, Runtime], tuple[Reading, ...]]:
    if kind not in _RULES:
        raise OddemoError(f"Nothing is known of what runtimes do with the kind {kind}.", expected=", ".join(_RULES))
    module, function = _RULES[kind]
    found: Callable[[Path, Runtime], tuple[Reading, ...]] = getattr(
        import_module(f"oddemo.export.loading.{module}"), function
    )
    return found


def _agreed(ways: tuple[Reading, ...], target: Target) -> Reading:
    """Return what the runtimes on both sides of a version agree on."""
    if len({way.outcome for way in ways}) == 1:
        reasons = tuple(dict.fromkeys(reason for way in ways for reason in way.reasons))
        return Reading(ways[0].how, reasons, meant=ways[0].meant)
    told = ", ".join(
        f"{way.outcome} in TensorFlow {one.tensorflow} with Keras {one.keras}"
        for way, one in zip(ways, target.runtimes, strict=True)
    )
    between = Reason("between_versions", UNKNOWN, f"{target.asked} lies between: {told}")
    return Reading(ways[0].how, (between,), meant=ways[0].meant)


def _notes(kind: str, readings: tuple[Reading, ...]) -> list[str]:
    from oddemo.export.loading import checkpoint_rules, keras_rules

    if _RULES[kind][0] == "checkpoint_rules":
        return [checkpoint_rules.NOTE]
    if readings[0].how == keras_rules.LOAD_WEIGHTS:
        return [keras_rules.WEIGHTS_NOTE]
    return []
