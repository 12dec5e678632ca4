"""Checked arrays to a trained run: train is the loop, and each thing it uses is a module of its own."""
