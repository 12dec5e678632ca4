"""Many seeded runs: a plan and its trials."""
