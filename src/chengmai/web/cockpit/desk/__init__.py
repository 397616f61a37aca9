"""The duty desk: what needs a person in the next ten minutes."""
