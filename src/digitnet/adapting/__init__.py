"""Adapt a model file to one person's hand: fine-tune a copy, and tell honestly whether that helped."""
