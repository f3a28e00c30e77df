"""A Slurm of virtual nodes on one host, for tests and developers."""
