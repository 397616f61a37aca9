"""The sealed history by itself: room, reading and summing while more is written, merged and rolled up."""

from __future__ import annotations

import asyncio
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.measure import Row, Timed
from bench.sizes import size
from chengmai.history.model import Span
from chengmai.kernel.clock import SystemClock
from chengmai.ngsild.temporal import TemporalQuery
from chengmai.store.duckdb.leaving import day_of
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.duckdb.taking import Arrays
from chengmai.store.sqlite.register import Entry, Sought
from chengmai.store.sqlite.work import SqliteTx, SqliteWork
from chengmai.store.summing import summed
from chengmai.store.visible import visible_rows

_SERIES = 1000
_BATCH = 500_000
_EACH_WHILE_READ = 10
_TIMES = 7
_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_START_US = 1_767_225_600_000_000
_DAYS = 30
_END_US = _START_US + _DAYS * _DAY_US
_ONE = 500
"""The series that is asked for alone."""
Question = Callable[[SqliteTx, SealedHistory], Any]


async def history() -> list[Row]:
    """Return what 10 million observations (or BENCH_OBSERVATIONS) of 1000 series over 30 days take."""
    total = size("BENCH_OBSERVATIONS", 10_000_000)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "history.duckdb"
        sealed = SealedHistory(path)
        work = SqliteWork(Path(folder) / "state.db", "0" * 64, SystemClock())
        try:
            loading = asyncio.create_task(asyncio.to_thread(_loaded, sealed, path, total))
            late_s = await _latest_s(loading)
            (loaded,) = await loading
            late = f"{loaded.note}; the event loop was at most {late_s * 1000:.0f} ms late"
            rows = [replace(loaded, note=late)]
            stop = threading.Event()
            writer = threading.Thread(target=_write_on, args=(sealed, total, stop))
            writer.start()
            try:
                for shape, question in _QUESTIONS.items():
                    rows.append(await _asked(work, sealed, shape, question))
            finally:
                stop.set()
                writer.join()
        finally:
            work.close()
            sealed.close()
    return rows


async def _latest_s(task: asyncio.Task[Any]) -> float:
    """Return how late the event loop came at most, while a task ran."""
    worst = 0.0
    while not task.done():
        start = time.perf_counter()
        await asyncio.sleep(0.01)
        worst = max(worst, time.perf_counter() - start - 0.01)
    return worst


def _loaded(sealed: SealedHistory, path: Path, total: int) -> list[Row]:
    """Write all as blocks of the past, with the merges and roll-ups that go with them."""
    step = _DAYS * _DAY_US // (total // _SERIES)
    made = used = wall = worst = 0.0
    for number in range(total // _BATCH):
        arrays = _batch(number, _BATCH // _SERIES, step)
        cpu, start = time.process_time(), time.perf_counter()
        sealed.import_block("bench", str(number), arrays, number + 1)
        worst = max(worst, _tended(sealed, int(arrays["at_us"].min())))
        wall += time.perf_counter() - start
        used += time.process_time() - cpu
        made += _BATCH
    start, cpu = time.perf_counter(), time.process_time()
    worst = max(worst, _tended(sealed, _END_US))
    wall += time.perf_counter() - start
    used += time.process_time() - cpu
    ((blocks,),) = _of(sealed, "SELECT used_blocks * block_size FROM pragma_database_size()")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    note = (
        f"{blocks / made:.1f} bytes each, {path.stat().st_size / made:.1f} with the free room of the file;"
        f" longest step {worst:.1f} s, at most {peak:,.0f} MiB of memory"
    )
    shape = f"take in, merge and roll up {total:,} observations"
    return [Row("history", shape, total, used / made * 1e6, made / wall, note=note)]


def _of(sealed: SealedHistory, sql: str) -> Any:
    with sealed.snapshot() as cursor:
        return cursor.execute(sql).fetchall()


def _tended(sealed: SealedHistory, at_us: int) -> float:
    """Merge and roll what is due; return the seconds of the longest step."""
    worst = 0.0
    more = True
    while more:
        start = time.perf_counter()
        more = sealed.merge() or sealed.roll(day_of(at_us))
        worst = max(worst, time.perf_counter() - start)
    return worst


def _write_on(sealed: SealedHistory, total: int, stop: threading.Event) -> None:
    step = _DAYS * _DAY_US // (total // _SERIES)
    number, first = total // _BATCH, total // _SERIES
    while not stop.wait(0.2):
        arrays = _batch(number, _EACH_WHILE_READ, step, first)
        sealed.import_block("bench", str(number), arrays, number + 1)
        sealed.merge()
        number, first = number + 1, first + _EACH_WHILE_READ


def _batch(number: int, each: int, step: int, first: int | None = None) -> Arrays:
    """Return the next `each` observations of every series, as sealing brings them: told by the second, not
    quite regular, recorded some tenths of a second later, of one decimal."""
    chance = np.random.default_rng(number)
    begin = number * each if first is None else first
    level = np.random.default_rng(0).normal(20, 8, _SERIES)
    total = each * _SERIES
    regular = (begin + np.arange(each)) * step // 1_000_000
    own = np.random.default_rng(1).integers(0, max(1, step // 1_000_000 - 2), _SERIES)
    at_s = regular[None, :] + own[:, None] + chance.integers(0, 3, (_SERIES, each))
    at_us = _START_US + (at_s * 1_000_000).ravel()
    lag_us = (np.exp(chance.normal(-1.5, 0.8, total)) * 1e6).astype(np.int64)
    return {
        "series": np.repeat(np.arange(1, _SERIES + 1), each).astype(np.int32),
        "at_us": at_us,
        "modified_us": at_us + lag_us,
        "seq": np.full(total, number + 1),
        "observed": np.ones(total, np.bool_),
        "num": np.round(np.repeat(level, each) + chance.normal(0, 5, total), 1),
        "body": np.full(total, None, object),
    }


async def _asked(work: SqliteWork, sealed: SealedHistory, shape: str, question: Question) -> Row:
    timed, used, start = Timed(), time.process_time(), time.perf_counter()
    for _ in range(_TIMES):
        begun = time.perf_counter()
        await work.read(lambda tx: question(tx, sealed))
        timed.seconds.append(time.perf_counter() - begun)
    wall, used = time.perf_counter() - start, time.process_time() - used
    return timed.row("history", f"{shape}, while writing", used, wall)


_ENTRY = Entry(_ONE, "urn:ngsi-ld:Road:1", "speed", "", "Property", "", -1, _ONE)


def _rows(span: Span, last_n: int | None = None) -> Question:
    return lambda tx, sealed: visible_rows(tx, sealed, Sought.of([_ENTRY]), span, last_n=last_n)


def _summed(period_us: int) -> Question:
    window = TemporalQuery(
        "between", _START_US, _END_US, methods=("avg", "max"), period_us=period_us
    )
    return lambda tx, sealed: summed(tx, sealed, {_ONE: _ENTRY}, window, 100_000)


def _sql(sql: str) -> Question:
    def ask(_tx: SqliteTx, sealed: SealedHistory) -> Any:
        with sealed.snapshot() as cursor:
            return cursor.execute(sql).fetchnumpy()

    return ask


_AT = _START_US + 10 * _DAY_US
_QUESTIONS: dict[str, Question] = {
    "last 100 of a series": _rows(Span(), last_n=100),
    "one day of a series": _rows(Span(_AT, _AT + _DAY_US)),
    f"hourly means of a series, {_DAYS} days, from roll-ups": _summed(_HOUR_US),
    f"means per 90 minutes of a series, {_DAYS} days, from observations": _summed(
        3 * _HOUR_US // 2
    ),
    f"hourly means of {_SERIES:,} series, {_DAYS} days, from observations": _sql(
        "SELECT series, at_s // 3600 AS hour, avg(num) FROM past GROUP BY 1, 2"
    ),
    f"hourly means of {_SERIES:,} series, {_DAYS} days, from roll-ups": _sql(
        "SELECT series, slot, (CAST(whole AS DOUBLE) + CAST(part AS DOUBLE) / pow(2, 80)) / n FROM hourly"
    ),
    "everything: count, mean, least, greatest": _sql(
        "SELECT count(*), avg(num), min(num), max(num) FROM past"
    ),
}
