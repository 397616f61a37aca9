"""Distributed operations: what of a request is done here, what is forwarded, and how the answers become one.

`Broker` and `TemporalBroker` know nothing of registrations; this room stands in front of them. Read first:
`asked.py`, `ports.py`, `sources.py`. GS CIM 009 V1.9.1, clauses 4.3.3, 4.3.6 and 6.3.17 to 6.3.19.
"""
