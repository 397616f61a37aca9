"""The state file as the operating system sees it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from chengmai.store.sqlite.file import connect

KEY = "5f" * 32

TAKE_FOR_ONESELF = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)
    except BlockingIOError:
        print("in use")
    else:
        print("free")
"""
"""Asks for what SQLite calls the shared bytes of a file: who gets them alone is its only user."""


def seen_by_another_process(path: Path) -> str:
    command = [sys.executable, "-c", TAKE_FOR_ONESELF, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_opening_the_file_once_more_keeps_the_locks_on_it(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    first = connect(path, KEY)
    first.execute("CREATE TABLE kept (number INTEGER)")
    second = connect(path, KEY)
    second.execute("SELECT * FROM kept").fetchall()
    seen = seen_by_another_process(path)
    second.close()
    first.close()

    assert seen == "in use"
    assert seen_by_another_process(path) == "free"
