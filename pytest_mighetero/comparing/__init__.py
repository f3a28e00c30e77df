"""What runs come to beside each other: ratios, spreads, references, earlier records."""
