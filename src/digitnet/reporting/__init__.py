"""The figures of a run, and its report: one HTML page."""
