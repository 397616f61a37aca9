"""Indicators worked out from what the platform holds: definitions as data, a few kinds of calculation."""
