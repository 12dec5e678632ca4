"""Evaluate a trained run: accuracy, calibration, mistakes, feature maps, and what the loss curve says."""
