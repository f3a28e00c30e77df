"""Records: written, found, read."""
