"""The clinic: exports with an unknown fault, to be diagnosed by hand first and then with the audit."""
