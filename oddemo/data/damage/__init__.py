"""Planting what goes wrong with data: rare classes, few pictures, faults in labels, the truth kept beside."""
