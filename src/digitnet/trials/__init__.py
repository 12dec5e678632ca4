"""Many seeded runs to claims: plan says what to run, run and journal do it, compare answers with statistics."""
