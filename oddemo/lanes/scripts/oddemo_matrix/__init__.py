"""One cell of the version matrix: a small model written by one TensorFlow, read by another."""
