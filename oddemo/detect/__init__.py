"""Detectors from tf-models-official: recipe, training, evaluation."""
