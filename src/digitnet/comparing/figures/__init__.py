"""Figures of a comparison. Each function is pure: results in, a matplotlib Figure out."""
