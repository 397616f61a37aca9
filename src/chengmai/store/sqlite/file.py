"""Opening the state file: encrypted and authenticated, checked, migrated.

Plain SQLite returns wrong data after most single-bit flips without a word; an authenticated page cipher
(AEGIS) turns each into an error. So encryption at rest is also how corruption is found.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from importlib import resources
from pathlib import Path
from typing import Any

import apsw

from chengmai.store.problems import StoreFailed, StoreUnreadable

PLAIN_HEADER = b"SQLite format 3\x00"
BUSY_MS = 10_000
"""How long is waited for another process that writes."""


def load_or_make_key(path: Path, *, protects: Path | None = None) -> str:
    """Return the 256-bit key in hex; made once, readable by its owner only, and on disk before use.

    No key is made for a file that is there already (`protects`): it would only hide that the right one
    is missing. Raises `StoreUnreadable`.
    """
    if not path.exists() and protects is not None and protects.exists():
        raise StoreUnreadable(
            f"{path} is missing, and {protects} cannot be read without it",
            fix="restore the key file that was made together with the data folder",
        )
    key = kept_text(path, lambda: secrets.token_hex(32))
    if len(key) != 64 or any(c not in "0123456789abcdef" for c in key):
        raise StoreUnreadable(
            f"{path} does not hold a key",
            fix="restore the key file that was made together with the data folder",
        )
    return key


def kept_text(path: Path, make: Callable[[], str]) -> str:
    """Return the text in `path`; at first use what `make` gives, written whole or not at all."""
    if path.exists():
        return path.read_text().strip()
    text = make()
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        os.write(handle, text.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return text


def connect(path: Path, key: str, *, read_only: bool = False) -> apsw.Connection:
    """Return a connection with cipher, WAL and `synchronous=FULL` set and proven.

    Raises `StoreUnreadable` when the key is wrong, or the file is damaged, is no database or is a plain one.
    """
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE
    flags |= 0 if read_only else apsw.SQLITE_OPEN_CREATE
    try:
        db = apsw.Connection(str(path), flags=flags)
        db.set_busy_timeout(BUSY_MS)
        db.pragma("cipher", "aegis")
        db.pragma("hexkey", key)
        db.execute("SELECT count(*) FROM sqlite_master").fetchall()
        if not read_only:
            db.pragma("journal_mode", "wal")
        db.pragma("synchronous", "full")
        db.pragma("foreign_keys", "on")
        db.pragma("cache_size", -65536)
        db.pragma("mmap_size", 0)
    except apsw.NotADBError as error:
        db.close()
        if is_plain(path):
            raise StoreUnreadable(
                f"{path} is not encrypted",
                fix="move it away; a file written without its key is not trusted",
            ) from error
        raise _unreadable(
            path, "the key is wrong or the file is not a Chengmai database"
        ) from error
    except apsw.CorruptError as error:
        raise _unreadable(path, "the file is damaged") from error
    except (apsw.CantOpenError, apsw.ReadOnlyError) as error:
        raise StoreUnreadable(
            f"{path}: the file cannot be opened for writing ({error})",
            fix="make the folder and its files writable for the user who runs the city",
        ) from error
    return db


def is_plain(path: Path) -> bool:
    """Tell whether a file is SQLite's own, without a cipher. Not for a file that this process has open.

    By POSIX, closing any descriptor of a file drops all locks that the process holds on it: those of open
    connections too, and another process that closes its own would take itself for the last one.
    """
    with path.open("rb") as file:
        return file.read(len(PLAIN_HEADER)) == PLAIN_HEADER


class Place:
    """Where an open file lies. A system lets an open file be written to that no name leads to any more."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = self._now()

    def check(self) -> None:
        """Raise `StoreFailed` when the name leads elsewhere than to the file that was opened, or nowhere."""
        if self._now() != self._file:
            raise StoreFailed(
                f"{self._path} was moved, deleted or replaced while the city runs",
                fix="put the folder back as it was, or restore it from a backup, and restart",
            )

    def _now(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 (before each commit: pathlib costs several times as much)
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _unreadable(path: Path, why: str) -> StoreUnreadable:
    return StoreUnreadable(
        f"{path}: {why}",
        fix="nothing was changed; restore the folder and its state.key from the same backup",
    )


def migrations() -> Iterator[tuple[int, str, str]]:
    """Yield (number, name, sql) of the numbered schema files, in order."""
    folder = resources.files("chengmai.store.sqlite") / "sql"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".sql"):
            yield int(file.name[:4]), file.name, file.read_text(encoding="utf-8")


def migrate(db: apsw.Connection) -> list[str]:
    """Bring the schema up to date; return the files applied.

    A new file gets all of it in one transaction, so that the disk is waited for once; for one with data
    each step is a transaction of its own. Raises `StoreUnreadable` when a newer release wrote the file.
    """
    db.execute(
        "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL)"
    )
    done = dict(db.execute("SELECT number, name FROM migration"))
    known = {number for number, _, _ in migrations()}
    if newer := sorted(set(done) - known):
        raise StoreUnreadable(
            f"the data were written by a newer release (schema {done[newer[-1]]})",
            fix="start the release that wrote them, or a later one",
        )
    applied = []
    with nullcontext() if done else db:
        for number, name, sql in migrations():
            if number in done:
                continue
            with db:
                db.execute(sql)
                db.execute("INSERT INTO migration (number, name) VALUES (?, ?)", (number, name))
            applied.append(name)
    return applied


def newest_instant_us(path: Path, key: str) -> int | None:
    """Return the newest instant at which an entity was changed, or None when there is none."""
    if not path.exists() or not path.stat().st_size:
        return None
    db = connect(path, key)
    try:
        migrate(db)
        rows: list[Any] = list(db.execute("SELECT max(modified_us) FROM entity"))
        newest: int | None = rows[0][0]
        return newest
    finally:
        db.close()
