"""The audit trail: who did what, and whether the chain holds."""
