"""Measurements: `python -m bench [name …] [--write]`. Figures for the record; no test asserts them."""
