"""The formats of data sets: each module reads one from a path, checks it, and writes it."""
