"""Cases: the list, one case with its steps, and the report form."""
