"""Measurements that are too long for a test; each writes what it found to results/."""
