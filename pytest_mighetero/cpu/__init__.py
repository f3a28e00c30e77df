"""The embedded CPU harness: MLPerf runs on NumPy that look like NVIDIA's.

The folder is laid out like `closed/<org>` of an MLPerf Inference submission as far
as a caller can see: a `Makefile` with `run_harness` and the three audit targets,
RUN_ARGS, the printed lines, LOG_DIR. Behind it are small NumPy models and the
LoadGen of the PyPI package `mlcommons-loadgen`. Nothing is written outside LOG_DIR,
so the folder may be installed read-only.

Importing this package loads neither NumPy nor LoadGen.
"""
