"""Pools of shared resources: how they are used, what is expected, what to move, and what came of it.

Read `rules.py`, `solving.py`, `planning.py`, `effects.py`, `service.py`, in this order.
"""
