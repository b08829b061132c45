"""Planting: broken deployments made the way people make them, each with one known fault.

Nothing here shares code with the probes of the diagnosis: the faults are written out in TensorFlow, OpenCV and Pillow.
"""
