"""Sources: everything that can be run and leaves a trace."""
