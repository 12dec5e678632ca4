"""Random changes of the training images, and synthetic outliers: one module for each family."""
