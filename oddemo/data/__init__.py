"""Datasets as records: generated worlds, file formats, checks."""
