"""What a network is shown while it trains: one family of changes a module."""
