"""From a photograph to the digits on it, without torch: picture opens, ink is seen, find cuts the digits out."""
