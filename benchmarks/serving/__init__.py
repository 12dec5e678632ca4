"""What the service can take: see ``__main__``."""
