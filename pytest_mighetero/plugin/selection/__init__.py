"""Which runs there are, and in which order."""
