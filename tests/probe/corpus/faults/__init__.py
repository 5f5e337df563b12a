"""Applications with one fault each: what must be found, and nothing else."""
