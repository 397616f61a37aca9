"""The outlook: where a city or a group stands, where it is going, what lags, and what would help."""
