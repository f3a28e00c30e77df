"""Benchmark runs on MIG devices as pytest test cases."""

__version__ = "0.1.0"
