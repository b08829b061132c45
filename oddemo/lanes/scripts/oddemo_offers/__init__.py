"""What a TensorFlow offers to artefacts: its operations, its TFLite runtime's, and what its Keras can rebuild."""
