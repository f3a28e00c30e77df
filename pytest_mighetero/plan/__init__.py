"""What to launch, on which device and for how long. Pure."""
