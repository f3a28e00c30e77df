"""What workloads leave behind, and what that proves."""
