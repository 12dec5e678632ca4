"""Photographs of handwriting as telephones and scanners take them, drawn by the thousands from MNIST's digits."""
