"""Exports of a trained detector, and contract cards that say what an artefact promises."""
