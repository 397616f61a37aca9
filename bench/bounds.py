"""What must not grow: the CPU of an operation as a multiple of a bare HTTP answer in the same run.

A time says something about one machine on one day; the multiple says something about the program. The bounds
leave room for what a busy machine does to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.measure import Row

BOUNDS = {
    "create an entity of 8 attributes": 12.5,
    "partial update of one attribute": 8.5,
    "update of five instances": 11.0,
    "append two attributes": 11.0,
    "batch of 250: create": 8.0,
    "batch of 250: update": 7.5,
    "batch of 1,000: create": 8.0,
    "batch of 1,000: update": 7.5,
    "partial update, 10,000 subscriptions, none due": 9.0,
}


def beyond(rows: Sequence[Row]) -> list[str]:
    """Return a sentence for each row that is beyond its bound."""
    return [
        f"{row.shape}: {row.ratio:.1f} times a bare HTTP answer, at most {BOUNDS[row.shape]:.1f} is expected"
        for row in rows
        if row.ratio > BOUNDS.get(row.shape, row.ratio)
    ]
