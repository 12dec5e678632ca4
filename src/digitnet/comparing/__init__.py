"""Finished trials -> claims with statistics, and a page about them."""
