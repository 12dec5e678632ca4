"""Pictures of a comparison: each function is pure, results in, a matplotlib Figure out."""
