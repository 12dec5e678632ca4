"""What is trained: the networks, what prepares their images, and what stands around them."""
