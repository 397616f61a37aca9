"""Looking back on a sign: what is usual, what changed and why, like with like, and what happened meanwhile."""
