"""Bytes to checked arrays, with numpy alone: sources fetch, idx parses, formats read and write, dataset splits."""
