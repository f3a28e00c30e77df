"""xdist workers in allocations of Slurm; imported where ``--mig-slurm`` is given."""
