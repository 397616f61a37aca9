"""A domain: its signs, what explains them, its cases, its data, its forecasts and its thresholds."""
