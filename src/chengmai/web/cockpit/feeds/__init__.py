"""Feeds: what arrives, what is refused and why."""
