"""A trained run to numbers: evaluate measures, mistakes and explain show, curve reads the loss graph."""
