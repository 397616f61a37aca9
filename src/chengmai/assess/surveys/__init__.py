"""Surveys of citizens: what they answered, and how far that can be trusted."""
