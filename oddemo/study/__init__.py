"""Studies: conditions × seeds × worlds, run once, kept by content, and told as paired differences with intervals."""
