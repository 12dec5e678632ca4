"""What the page asks, and is told."""
