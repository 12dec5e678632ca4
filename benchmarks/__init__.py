"""Measurements of speed, memory and accuracy. Each module is a program: ``python -m benchmarks.peers``."""
