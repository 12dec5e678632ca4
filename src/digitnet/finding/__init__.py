"""Find the ink of a picture, and the marks that it forms: OpenCV and no network, so that both wings use it."""
