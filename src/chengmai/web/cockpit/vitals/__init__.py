"""Vital signs: the list, and one sign with its past, its future and its reasons."""
