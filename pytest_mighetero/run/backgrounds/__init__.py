"""What runs beside main."""
