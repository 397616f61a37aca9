"""What must not grow: the CPU of an operation as a multiple of a bare HTTP answer in the same run.

A time says something about one machine on one day; the multiple says something about the program. The bounds
are half as much again as was seen on a quiet machine of two cores, where a bare answer took 28 to 34 µs: they
leave room for what a busy machine does to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.measure import Row

BOUNDS = {
    "create an entity of 8 attributes": 22.0,
    "partial update of one attribute": 15.0,
    "update of five instances": 21.0,
    "append two attributes": 21.0,
    "batch of 250: create": 19.0,
    "batch of 250: update": 18.0,
    "batch of 1,000: create": 17.0,
    "batch of 1,000: update": 17.0,
    "partial update, 10,000 subscriptions, none due": 21.0,
    "partial update, 10,000 subscriptions, one due": 32.0,
}


def beyond(rows: Sequence[Row]) -> list[str]:
    """Return a sentence for each row that is beyond its bound."""
    return [
        f"{row.shape}: {row.ratio:.1f} times a bare HTTP answer, at most {BOUNDS[row.shape]:.1f} is expected"
        for row in rows
        if row.ratio > BOUNDS.get(row.shape, row.ratio)
    ]
