"""One module for each notebook: its exercises, and how their answers are judged."""
