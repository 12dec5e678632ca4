"""Train a network: train.py is the loop; each part that it uses has a module of its own."""
