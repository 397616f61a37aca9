"""The page on which anybody answers a survey."""
