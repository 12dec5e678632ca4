"""What writes the generated parts of the documents: ``make docs``."""
