"""The sealed part of the history, and analysis over it."""
