"""The ``mighetero`` command."""
