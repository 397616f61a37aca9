"""Snapshots: what queries found, kept apart as it was (GS CIM 009 V1.9.1, clause 5.16)."""
