"""HTTP/1.1 for one process (`listener`, `connection`, `exchange`)."""
