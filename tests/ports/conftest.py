"""Builders of the adapters that the behaviour suites run over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chengmai.kernel.clock import FixedClock
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.history import EmbeddedHistory
from chengmai.store.sqlite.file import load_or_make_key
from chengmai.store.sqlite.work import SqliteWork
from tests.ports.serving import Shelf, serving


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 22, 8, 0, tzinfo=UTC))


@pytest.fixture
def work(tmp_path: Path, clock: FixedClock) -> Iterator[SqliteWork]:
    made = SqliteWork(tmp_path / "state.db", load_or_make_key(tmp_path / "state.key"), clock)
    yield made
    made.close()


@pytest.fixture
def history(tmp_path: Path, work: SqliteWork) -> Iterator[EmbeddedHistory]:
    sealed = SealedHistory(tmp_path / "history.duckdb")
    yield EmbeddedHistory(work, sealed)
    sealed.close()


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with serving() as made:
        yield made
