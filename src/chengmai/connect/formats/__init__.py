"""Formats of the field: each turns the documents of its standard into records with named columns.

`ports` says what a format is; `polled` fetches and hands over; everything else is one standard a module.
"""
