"""The networks: their layers, preprocessing, test-time augmentation and freezing."""
