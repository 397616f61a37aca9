"""Distributed operations (clause 4.3.6): what is local, what is asked elsewhere, how answers merge."""
