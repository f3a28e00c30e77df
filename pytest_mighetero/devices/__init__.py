"""GPUs and MIG devices: what there is, who has it, what it does."""
