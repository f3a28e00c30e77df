"""What a run holds while it lives, and gives back."""
