"""One picture and why a network reads it as it does; the only room besides cli that uses both wings."""
