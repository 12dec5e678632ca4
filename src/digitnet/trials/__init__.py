"""Many seeded runs, and what they show: a plan, its trials, and a comparison with statistics."""
