"""A program that seals and merges until it is killed: `python -m tests.fault.merging FILE`.

It tells the number of each sealing once it is done.
"""

from __future__ import annotations

import sys
from pathlib import Path

from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.duckdb.taking import Row

SERIES = 50
EACH = 40


def rows_of(number: int) -> list[Row]:
    """Return the rows of one sealing."""
    begin = number * EACH
    return [
        (series, (begin + n) * 1_000_000, (begin + n) * 1_000_000 + series, n, True, float(n), None)
        for series in range(SERIES)
        for n in range(EACH)
    ]


def run(path: Path) -> None:
    """Seal and merge until killed."""
    sealed = SealedHistory(path)
    number = sealed.watermark() + 1
    while True:
        sealed.seal(rows_of(number), number, [])
        print(number, flush=True)
        number += 1
        while sealed.merge(fan=3):
            pass


if __name__ == "__main__":
    run(Path(sys.argv[1]))
