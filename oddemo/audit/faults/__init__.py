"""The registry of causes: each is taught in a notebook, planted in a test and measured in a study."""
