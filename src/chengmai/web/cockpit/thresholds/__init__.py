"""Changes of thresholds: trial, proposal, decision."""
