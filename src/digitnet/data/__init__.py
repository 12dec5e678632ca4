"""From bytes to checked arrays, with numpy alone. Start at `load`: it reads a data set by name or by path."""
