"""Moving what was written from the log (WAL) into the file, beside the commits.

SQLite does it inside the commit that fills the log, every 1,000 pages: what changes often is written again
and again, and everybody waits. Here the log may grow longer, and a thread with a connection of its own moves
the bulk. What came meanwhile is little, and is moved between two commits: only then can the log begin anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import apsw
import structlog

EVERY_PAGES = 6000
"""About 24 MiB of log."""
_log = structlog.get_logger(__name__)


class Checkpoints:
    """Keeps the log of the connection `db` short; `opened` gives another connection to the same file."""

    def __init__(
        self,
        db: apsw.Connection,
        opened: Callable[[], apsw.Connection],
        every_pages: int = EVERY_PAGES,
    ) -> None:
        self._db, self._opened, self._every = db, opened, every_pages
        self._pages, self._due = 0, every_pages
        self._bulk: threading.Thread | None = None
        db.set_wal_hook(self._note)  # in place of SQLite's own checkpoints

    def _note(self, _db: apsw.Connection, _name: str, pages: int) -> int:
        if pages < self._pages:  # the log began anew
            self._due = self._every
        self._pages = pages
        return apsw.SQLITE_OK

    def committed(self) -> bool:
        """Begin what is due after a commit; return whether it is time to `finish`."""
        if self._bulk is None and self._pages >= self._due:
            self._due = self._pages + self._every
            self._bulk = threading.Thread(target=self._move, name="sqlite-checkpoint")
            self._bulk.start()
        return self._bulk is not None and not self._bulk.is_alive()

    def finish(self) -> None:
        """Move what came meanwhile; for who may use the connection, and has no transaction open."""
        self._bulk = None
        _checkpoint(self._db)

    def close(self) -> None:
        """Wait until nothing is moved any more."""
        if self._bulk is not None:
            self._bulk.join()

    def _move(self) -> None:
        try:
            db = self._opened()
        except (
            Exception
        ) as error:  # the log stays; the next commit says what is wrong with the file
            _log.warning("store.checkpoint_failed", error=repr(error))
            return
        # Moving on closing would wait for others.
        db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        _checkpoint(db)
        db.close()


def _checkpoint(db: apsw.Connection) -> None:
    try:
        db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    except apsw.Error as error:  # what is not moved stays in the log
        _log.warning("store.checkpoint_failed", error=repr(error))
