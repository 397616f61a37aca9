"""The sealed history by itself: size, reading and folding while more is written."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from bench.measure import Row, Timed
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.duckdb.taking import Arrays

OBSERVATIONS = int(os.environ.get("BENCH_OBSERVATIONS", "10000000"))
_SERIES = 1000
_BATCH = 500_000
_TIMES = 5
_DAY_US = 86_400_000_000
_START_US = 1_767_225_600_000_000
_DAYS = 30


async def history() -> list[Row]:
    """Return what 10 million observations of 1000 series over 30 days take, or BENCH_OBSERVATIONS."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "history.duckdb"
        sealed = SealedHistory(path)
        try:
            rows = [_written(sealed, path)]
            stop = threading.Event()
            writer = threading.Thread(target=_write_on, args=(sealed, stop))
            writer.start()
            try:
                rows += [_asked(sealed, shape, sql) for shape, sql in _QUESTIONS.items()]
            finally:
                stop.set()
                writer.join()
        finally:
            sealed.close()
    return rows


_AT = _START_US + 10 * _DAY_US
_QUESTIONS = {
    "last 100 of a series": "SELECT at_us, num FROM past WHERE series = 500"
    " ORDER BY at_us DESC LIMIT 100",
    "one day of a series": "SELECT at_us, num FROM past WHERE series = 500"
    f" AND at_s >= {_AT // 10**6} AND at_s < {(_AT + _DAY_US) // 10**6} ORDER BY at_us",
    f"hourly means of {_SERIES:,} series, {_DAYS} days": "SELECT series, at_us // 3600000000 AS hour,"
    " avg(num) FROM past GROUP BY 1, 2",
}


def _written(sealed: SealedHistory, path: Path) -> Row:
    used, start = time.process_time(), time.perf_counter()
    each = _BATCH // _SERIES
    for number in range(OBSERVATIONS // _BATCH):
        _put(sealed, number, _batch(number, each, OBSERVATIONS // _SERIES))
    wall, used = time.perf_counter() - start, time.process_time() - used
    size = path.stat().st_size / OBSERVATIONS
    note = f"{size:.1f} bytes each"
    shape = f"seal {OBSERVATIONS:,} observations"
    return Row(
        "history", shape, OBSERVATIONS, used / OBSERVATIONS * 1e6, OBSERVATIONS / wall, note=note
    )


def _asked(sealed: SealedHistory, shape: str, sql: str) -> Row:
    timed, used, start = Timed(), time.process_time(), time.perf_counter()
    for _ in range(_TIMES):
        begun = time.perf_counter()
        with sealed.snapshot() as cursor:
            cursor.execute(sql).fetchnumpy()
        timed.seconds.append(time.perf_counter() - begun)
    wall, used = time.perf_counter() - start, time.process_time() - used
    return timed.row("history", f"{shape}, while writing", used, wall)


def _write_on(sealed: SealedHistory, stop: threading.Event) -> None:
    number = OBSERVATIONS // _BATCH
    while not stop.wait(0.2):
        _put(sealed, number, _batch(number, 10, OBSERVATIONS // _SERIES))
        number += 1


def _put(sealed: SealedHistory, number: int, arrays: Arrays) -> None:
    sealed.import_block("bench", str(number), arrays, number + 1)
    sealed.tend()


def _batch(number: int, each: int, whole: int) -> Arrays:
    """Return the next `each` observations of every series, as sealing brings them."""
    step = _DAYS * _DAY_US // whole
    chance = np.random.default_rng(number)
    first = number * (_BATCH // _SERIES)
    at_us = np.tile(_START_US + (first + np.arange(each)) * step, _SERIES)
    total = each * _SERIES
    return {
        "series": np.repeat(np.arange(1, _SERIES + 1), each).astype(np.int32),
        "at_us": at_us.astype(np.int64),
        "modified_us": (at_us + 1_500_000).astype(np.int64),
        "seq": (number * _BATCH + np.arange(total)).astype(np.int64),
        "observed": np.ones(total, np.bool_),
        "num": np.round(chance.normal(20, 5, total), 1),
        "body": np.full(total, None, object),
    }
