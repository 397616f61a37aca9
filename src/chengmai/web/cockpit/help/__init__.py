"""Keys and marks, explained."""
