"""Serving scripts with one mistake each; planted beside the export that they load."""
