"""Rules: list, page, editor, trial, firings, commands."""
