"""The programs that race: each follows one published recipe, and runs in an environment of its own."""
