"""All tables of one recording as rows in time, found again without reading everything again.

The first pass reads every row's time once and keeps, for each thousand rows, where they begin and which
times they hold. A later question reads only the thousands that can answer it, so files need no order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chengmai.connect.problems import SourceMissing
from chengmai.connect.reading import shorten
from chengmai.connect.shift import Recording
from chengmai.connect.tables import Fault, Mark, Row, Table
from chengmai.connect.times import BadTime, TimeReader

_BLOCK = 1000


@dataclass(frozen=True)
class Block:
    """Up to a thousand rows of one table: from `mark` to before row `end`, wall times `low` … `high`."""

    table: Table
    mark: Mark
    end: int
    low: datetime
    high: datetime
    before: datetime | None
    """The time of the last row before the block: a row without a time stands where its neighbour does."""


@dataclass(frozen=True)
class Recorded:
    """An indexed recording. `rows` counts the rows, `width` the columns of the first one."""

    span: Recording
    blocks: Sequence[Block]
    rows: int
    width: int
    times: TimeReader
    now: datetime

    def between(self, after: datetime, until: datetime) -> list[tuple[datetime, Row]]:
        """Return (wall time, row) for `after` < time ≤ `until`, by time, then by file and line."""
        found = [
            (at, row)
            for block in self.blocks
            if block.high > after and block.low <= until
            for at, row in _timed(block, self.times, self.now)
            if after < at <= until
        ]
        return sorted(found, key=lambda pair: pair[0])


def index(tables: Sequence[Table], times: TimeReader, period: timedelta, now: datetime) -> Recorded:
    """Return the indexed recording; raises `SourceMissing` when no row has a readable time.

    `now` is the machine's present instant: nothing recorded can be later, such a row is refused.
    """
    blocks: list[Block] = []
    width = rows = 0
    for table in tables:
        for block, count, columns in _blocks(table, times, now):
            blocks.append(block)
            rows += count
            width = width or columns
    if not blocks:
        raise SourceMissing(
            "no row of the recording has a readable time",
            param="time",
            fix="check [time] of the feed",
        )
    first, last = min(block.low for block in blocks), max(block.high for block in blocks)
    return Recorded(Recording(first, last, period), blocks, rows, width, times, now)


def _blocks(table: Table, times: TimeReader, now: datetime) -> Iterator[tuple[Block, int, int]]:
    """Yield (block, rows in it, columns of its first record)."""
    held: list[tuple[datetime, Row]] = []
    untimed: list[Row] = []
    last: datetime | None = None
    before: datetime | None = None
    for row in table.rows(Mark()):
        at, _ = place(row, times, now)
        last = at or last
        if last is None:
            untimed.append(row)
            continue
        held += [(last, replace(early, record=None)) for early in untimed]
        untimed.clear()
        if len(held) >= _BLOCK:
            yield _block(table, held, before)
            held, before = [], held[-1][0]
        held.append((last, replace(row, record=None) if held else row))
    if held:
        yield _block(table, held, before)


def _block(
    table: Table, held: list[tuple[datetime, Row]], before: datetime | None
) -> tuple[Block, int, int]:
    first = held[0][1]
    low, high = min(at for at, _ in held), max(at for at, _ in held)
    mark = Mark(first.number, first.offset)
    block = Block(table, mark, held[-1][1].number + 1, low, high, before)
    return block, len(held), len(first.record or ())


def _timed(block: Block, times: TimeReader, now: datetime) -> Iterator[tuple[datetime, Row]]:
    last = block.before or block.low
    for row in block.table.rows(block.mark):
        if row.number >= block.end:
            return
        at, fault = place(row, times, now)
        last = at or last
        yield last, row if fault is None else replace(row, record=None, fault=fault)


def place(row: Row, times: TimeReader, now: datetime) -> tuple[datetime | None, Fault | None]:
    """Return the wall time of a row in the feed's zone, or the fault that keeps it from having one."""
    if row.record is None:
        return None, row.fault
    try:
        at = times.at(row.record)
    except BadTime as problem:
        return None, Fault("bad_time", str(problem), shorten(repr(row.record)))
    if at > now:
        detail = f"recorded at {at.isoformat()}, which is still to come"
        return None, Fault("future_time", detail, shorten(repr(row.record)))
    return at.astimezone(times.zone).replace(tzinfo=None), None
