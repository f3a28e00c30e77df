"""The words that every room uses: pairs, clocks, windows, secrets, printable text."""
