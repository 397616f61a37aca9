"""A merge of sorted runs that is killed: what was sealed is there, once."""

from __future__ import annotations

import asyncio
import random
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from chengmai.store.duckdb.sealed import SealedHistory
from tests.fault.merging import EACH, SERIES
from tests.fault.processes import kill

pytestmark = pytest.mark.fault
_ROOT = Path(__file__).parents[2]


async def _merge_and_kill(path: Path, after_s: float) -> int:
    """Return the last sealing that was told."""
    program = (sys.executable, "-m", "tests.fault.merging", str(path))
    process = await asyncio.create_subprocess_exec(*program, stdout=PIPE, cwd=_ROOT)
    assert process.stdout is not None
    told = [await process.stdout.readline()]
    await asyncio.sleep(after_s)
    kill(process)
    out, _ = await process.communicate()
    told += out.splitlines()
    return int(told[-1])


def _findings(path: Path, told: int) -> list[str]:
    sealed = SealedHistory(path)
    try:
        with sealed.snapshot() as cursor:
            upto = sealed.sealed_seq(cursor)
            ((rows, apart, lags),) = cursor.execute(
                "SELECT count(*), count(DISTINCT (series, at_us)),"
                " count(*) FILTER (modified_us - at_us <> series) FROM past"
            ).fetchall()
            ((counted, runs),) = cursor.execute("SELECT sum(held), count(*) FROM run").fetchall()
    finally:
        sealed.close()
    due = (upto + 1) * SERIES * EACH
    if upto < told:
        return [f"{told} was told, {upto} is there"]
    if {rows, apart, counted} != {due} or lags:
        return [f"{rows} rows, {apart} apart, {counted} counted, {lags} wrong; {due} are due"]
    return [] if runs < 40 else [f"{runs} runs were left"]


async def test_merges_that_are_killed_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    path, luck = tmp_path / "history.duckdb", random.Random(11)
    told = -1
    for _ in range(6):
        last = await _merge_and_kill(path, luck.uniform(0.05, 0.8))
        assert last > told
        told = last
        assert _findings(path, told) == []
