"""The embedded store of a city, opened."""

from __future__ import annotations

from dataclasses import dataclass

from chengmai.kernel.clock import Clock
from chengmai.settings import Settings
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.history import EmbeddedHistory
from chengmai.store.sqlite.work import SqliteWork


@dataclass(frozen=True)
class Store:
    """The embedded store, opened: one state file, one history file, one folder."""

    work: SqliteWork
    history: EmbeddedHistory
    sealed: SealedHistory

    def close(self) -> None:
        """Finish what waits and close both files."""
        self.work.close()
        self.sealed.close()


def open_store(settings: Settings, key: str, clock: Clock) -> Store:
    """Return the store in a city's folder; its files are made at first use."""
    work = SqliteWork(settings.data / "state.db", key, clock)
    sealed = SealedHistory(settings.data / "history.duckdb", memory_limit=settings.duckdb_memory)
    return Store(work, EmbeddedHistory(work, sealed), sealed)
