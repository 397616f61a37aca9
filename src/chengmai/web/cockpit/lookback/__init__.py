"""Looking back on one sign in one area."""
