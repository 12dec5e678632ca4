"""Ranges to one best configuration: plan says what to search, Optuna chooses, validation alone decides."""
