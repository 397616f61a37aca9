"""The protocols of looking back and ahead, as commands over recorded data that stay outside the repository."""
