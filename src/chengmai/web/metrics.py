"""What a running city measures of itself: for Prometheus at /metrics, and in its folder for the doctor.

The figures are read when somebody asks; what is noted all the time are counts and durations alone.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from chengmai import __version__
from chengmai.app import City
from chengmai.kernel.instants import to_us
from chengmai.kernel.measures import Durations
from chengmai.ngsild.entity import value_of
from chengmai.web.api.tally import RequestTally

STATUS_FILE = "status.json"
STATUS_EVERY_S = 10.0
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PAGE = resource.getpagesize()


@dataclass(frozen=True)
class Status:
    """A city at one moment. Bytes, seconds, and numbers of things; `at_us` in microseconds since 1970."""

    at_us: int
    version: str
    writes_waiting: int
    commits: int
    units_written: int
    commit_p99_s: float | None
    wal_bytes: int
    state_bytes: int
    history_bytes: int
    rows_to_seal: int
    seal_lag_s: float
    notifications_due: int
    memory_bytes: int
    loop_lag_s: float
    feeds: dict[str, int]


class Meter:
    """Reads what a city measures of itself, and keeps an eye on how late its event loop runs."""

    def __init__(self, city: City, requests: RequestTally) -> None:
        self._city = city
        self._requests = requests
        self._lag_s = 0.0
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch the loop and to write the status file of the data folder."""
        self._watching = asyncio.create_task(self._watch(), name="metrics")

    async def stop(self) -> None:
        """Stop watching; a city that does not run has no status."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        (self._city.settings.data / STATUS_FILE).unlink(missing_ok=True)

    async def status(self) -> Status:
        """Return the figures of this moment."""
        data, work = self._city.settings.data, self._city.store.work
        now_us = to_us(self._city.real_clock.now())
        rows, oldest_us, feeds = await work.read(self._kept)
        return Status(
            at_us=now_us,
            version=__version__,
            writes_waiting=work.depth,
            commits=work.commits,
            units_written=work.written,
            commit_p99_s=work.durations.quantile(0.99),
            wal_bytes=_size(data / "state.db-wal"),
            state_bytes=_size(data / "state.db"),
            history_bytes=_size(data / "history.duckdb"),
            rows_to_seal=rows,
            seal_lag_s=max(0.0, (to_us(self._city.clock.now()) - oldest_us) / 1e6) if rows else 0.0,
            notifications_due=self._city.delivery.depth,
            memory_bytes=memory_bytes(),
            loop_lag_s=self._lag_s,
            feeds=dict(feeds),
        )

    async def exposition(self) -> bytes:
        """Return the figures in the text format of Prometheus."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Families(await self.status(), self._city, self._requests))
        return bytes(generate_latest(registry))

    def _kept(self, tx: Any) -> tuple[int, int, Counter[str]]:
        ((first, last),) = tx.db.execute("SELECT min(seq), max(seq) FROM recent")
        ((oldest,),) = tx.db.execute("SELECT max(recorded_us) FROM recent WHERE seq = ?", (first,))
        feeds = Counter(
            str(value_of(feed, "feedState"))
            for feed in self._city.model.find(tx, self._city.settings.tenant, "DataFeed")
        )
        return (0 if first is None else last - first + 1), oldest or 0, feeds

    async def _watch(self) -> None:
        path = self._city.settings.data / STATUS_FILE
        written = 0.0
        while True:
            before = time.monotonic()
            await asyncio.sleep(1.0)
            self._lag_s = max(0.0, time.monotonic() - before - 1.0)
            if time.monotonic() - written >= STATUS_EVERY_S:
                written = time.monotonic()
                body = orjson.dumps(asdict(await self.status()))
                await asyncio.to_thread(_put, path, body)


class _Families(Collector):
    """The metric families of one moment."""

    def __init__(self, status: Status, city: City, requests: RequestTally) -> None:
        self._status = status
        self._city = city
        self._requests = requests

    def collect(self) -> Any:
        now = self._status
        for name, text, value in (
            ("writes_waiting", "Units of work that wait to be written.", now.writes_waiting),
            ("wal_bytes", "Size of the write-ahead log of the state.", now.wal_bytes),
            ("state_bytes", "Size of the state file.", now.state_bytes),
            ("history_bytes", "Size of the sealed history.", now.history_bytes),
            ("history_rows_to_seal", "Rows of history that wait for sealing.", now.rows_to_seal),
            ("history_seal_lag_seconds", "Age of the oldest row not sealed.", now.seal_lag_s),
            (
                "notifications_due",
                "Notifications that are due and not delivered.",
                now.notifications_due,
            ),
            ("memory_bytes", "Memory of the process that is in use.", now.memory_bytes),
            ("loop_lag_seconds", "How late the event loop came to its last tick.", now.loop_lag_s),
        ):
            yield GaugeMetricFamily(f"chengmai_{name}", text, value=value)
        feeds = GaugeMetricFamily("chengmai_feeds", "Feeds by state.", labels=["state"])
        for state, count in sorted(now.feeds.items()):
            feeds.add_metric([state], count)
        yield feeds
        yield CounterMetricFamily("chengmai_commits", "Commits on disk.", value=now.commits)
        yield CounterMetricFamily(
            "chengmai_units", "Units of work on disk.", value=now.units_written
        )
        answers = CounterMetricFamily(
            "chengmai_answers", "Answers of the machine API.", labels=["method", "status"]
        )
        for (method, status), count in sorted(self._requests.answers.items()):
            answers.add_metric([method, str(status)], count)
        yield answers
        yield _histogram(
            "commit", "From the first statement to the disk.", self._city.store.work.durations
        )
        yield _histogram(
            "answer", "From the head of a request to its answer.", self._requests.durations
        )


def _histogram(name: str, text: str, durations: Durations) -> HistogramMetricFamily:
    return HistogramMetricFamily(
        f"chengmai_{name}_seconds", text, buckets=durations.buckets(), sum_value=durations.total_s
    )


def memory_bytes() -> int:
    """Return the resident memory of this process; its peak where the system does not tell the present."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _put(path: Path, body: bytes) -> None:
    draft = path.with_suffix(".new")
    draft.write_bytes(body)
    draft.replace(path)
