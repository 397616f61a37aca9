"""The history: what was observed and when, asked for by span and aggregate."""
