"""Lanes: other TensorFlow versions, each in an environment of its own, and the scripts that run there."""
