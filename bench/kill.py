"""Kills and power cuts: of a replay, of a server under load, of a store; every one is checked."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from bench.measure import Row
from tests.fault.ledger import Ledger, look, write_and_kill
from tests.fault.powercut import cut_often
from tests.fault.processes import a_token
from tests.fault.replayed import PACK, kill_often

REPLAYS = 100
SERVERS = 100
CUTS = 200


async def kill() -> list[Row]:
    """Return what the kills came to; a loss or a double is in the note, and ends the run."""
    return [await _replays(), await _servers(), await _power()]


async def _replays() -> Row:
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        tally = await kill_often(Path(folder), REPLAYS, seed=1, longest_s=2.5)
    wall = time.perf_counter() - start
    note = (
        f"{tally.kills} kills, {tally.accepted:,} readings in ({tally.streamed:,} live),"
        f" {tally.announced:,} announced, {len(tally.findings)} lost or doubled"
    )
    return _row("kill -9 during replay", tally.kills, wall, note, tally.findings)


async def _servers() -> Row:
    start, ledger, luck = time.perf_counter(), Ledger(), random.Random(2)
    findings: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        data = Path(folder) / "data"
        token = await a_token(data, PACK, "manager")
        for _ in range(SERVERS):
            await write_and_kill(data, PACK, token, ledger, luck, clients=64)
            findings += await look(data, PACK, ledger)
    wall = time.perf_counter() - start
    note = (
        f"{SERVERS} kills, {ledger.answers:,} writes acknowledged, {len(findings)} lost or doubled"
    )
    return _row("kill -9 of a server under 64 writers", SERVERS, wall, note, findings)


async def _power() -> Row:
    start, findings, answers = time.perf_counter(), list[str](), 0
    runs = 4
    for seed in range(runs):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            tally = await cut_often(Path(folder), CUTS // runs, seed=seed, writes=1000)
        findings += tally.findings
        answers += tally.answers
    wall = time.perf_counter() - start
    note = f"{CUTS} cuts, {answers:,} answers looked up, {len(findings)} lost or doubled"
    return _row("power cut at any sync", CUTS, wall, note, findings)


def _row(shape: str, kills: int, wall: float, note: str, findings: list[str]) -> Row:
    if findings:
        raise RuntimeError(f"{shape}: " + "; ".join(findings[:20]))
    return Row("kill", shape, kills, 0.0, kills / wall, note=note)
