"""The formats that data sets are kept in: each module reads one from a path, checked, and writes it."""
