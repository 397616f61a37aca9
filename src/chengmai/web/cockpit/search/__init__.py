"""Search for anything by number, name or place."""
