"""Run tests of the package: ``pytest --pyargs pytest_mighetero.runs``."""
