"""Which runtimes load an artefact, and which load it and change it, said from its card. No TensorFlow is imported."""

from oddemo.export.loading.predict import predict
from oddemo.export.loading.record import OUTCOMES, Prediction, Reading, Reason
from oddemo.export.loading.target import Target, every_target, parse_target

__all__ = ["OUTCOMES", "Prediction", "Reading", "Reason", "Target", "every_target", "parse_target", "predict"]
