"""Records beside each other, and beside references."""
