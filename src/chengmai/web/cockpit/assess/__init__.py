"""Assessment: what places build, how fast, and who says so."""
