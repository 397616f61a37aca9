"""Thresholds of a city: those that a pack leaves to it, changed by proposal, trial and a second person."""
