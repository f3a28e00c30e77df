"""The highest VALID target of a Server run: what to run next, and running it."""
