"""Finding faults in labels with a detector's help, repairing them, and counting what was found of planted ones."""
