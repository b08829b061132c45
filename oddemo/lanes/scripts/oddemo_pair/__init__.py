"""A file that one lane writes and another reads, with all that comes out of it on both sides."""
