"""Adapters of the ports to storage engines; SQL lives here and nowhere else."""
