"""What a replay must have left behind, whatever it was interrupted by."""

from __future__ import annotations

import asyncio
import json
import random
from asyncio.subprocess import PIPE
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from chengmai.app import City
from chengmai.history.model import Span
from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import format_us, to_us
from chengmai.ngsild.entity import instances, name_iri
from chengmai.settings import Settings
from chengmai.store.sqlite.register import entries
from chengmai.store.sqlite.series import RECENT, unpacked
from tests.fault.processes import PROGRAM, START_S, environment, kill

PACK = Path(__file__).parent / "pack"
METERS = ("m1", "m2", "m3")
ZONE = ZoneInfo("Asia/Shanghai")
SHIFT = timedelta(weeks=2)
BACKFILL = timedelta(days=4)
SPEED = 3600
_MINUTE = timedelta(minutes=1)
PAST = len(METERS) * (BACKFILL // _MINUTE)
"""The readings of a recording that are past when it is shown."""


@dataclass(frozen=True)
class Record:
    """One line of the recording."""

    at: datetime
    meter: str
    flow: float
    shown_us: int


@dataclass
class Tally:
    """What a series of kills came to."""

    kills: int = 0
    announced: int = 0
    accepted: int = 0
    streamed: int = 0
    findings: list[str] = field(default_factory=list)


def record(folder: Path, now: datetime) -> list[Record]:
    """Write ten days of readings, one a minute and meter, of which four days are past when shown at `now`."""
    wall = now.astimezone(ZONE).replace(tzinfo=None, second=0, microsecond=0)
    first = wall - SHIFT - BACKFILL - timedelta(hours=6)
    shown_us = to_us((first + SHIFT).replace(tzinfo=ZONE).astimezone(UTC))
    records = [
        Record(first + n * _MINUTE, meter, n + index / 10, shown_us + n * 60_000_000)
        for n in range(10 * 24 * 60)
        for index, meter in enumerate(METERS)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{one.at.isoformat()},{one.meter},{one.flow}" for one in records]
    (folder / "meters.csv").write_text("\n".join(["time,meter,flow", *lines]) + "\n")
    return records


async def replay_and_kill(
    source: Path, data: Path, after_s: float, *, early: bool, least: int = 1
) -> int:
    """Run `chengmai replay` and kill it; return the readings it said it had taken in.

    It is killed `after_s` seconds after its start or, unless `early`, after it first says that it has
    taken in `least` readings: on a slow machine that takes longer than any number of seconds chosen here.
    """
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        "replay",
        str(source),
        "--data",
        str(data),
        "--speed",
        str(SPEED),
        "--announce",
        env=environment(PACK),
        stdout=PIPE,
    )
    assert process.stdout is not None
    first = b"" if early else await asyncio.wait_for(_taken_in(process.stdout, least), START_S)
    try:
        await asyncio.wait_for(process.wait(), after_s)
        raise RuntimeError(f"the replay ended by itself with {process.returncode}")
    except TimeoutError:
        kill(process)
    said, _ = await process.communicate()
    return max((int(one["minutes"]["accepted"]) for one in _announced(first + said)), default=0)


async def _taken_in(said: asyncio.StreamReader, least: int) -> bytes:
    while line := await said.readline():
        if any(one["accepted"] >= least for one in json.loads(line).values()):
            return line
    raise RuntimeError(f"the replay ended before it took in {least} readings")


def _announced(said: bytes) -> list[dict[str, Any]]:
    # The last line may be cut off by the kill.
    return [
        {name.rpartition(":")[2]: found for name, found in json.loads(line).items()}
        for line in said.split(b"\n")[:-1]
        if line != b"{}"
    ]


async def kill_often(folder: Path, kills: int, seed: int, longest_s: float) -> Tally:
    """Replay a recording in `folder`, killed again and again at random instants; check after each kill."""
    luck, tally = random.Random(seed), Tally()
    records = record(folder / "source", datetime.now(UTC))
    while tally.kills < kills:
        # Every third is an early one: while files are made, or the past is brought in.
        early = tally.kills % 3 == 0
        after_s = luck.uniform(0.8, 3.0) if early else luck.uniform(0.0, longest_s)
        # The last one is waited for until all of the past is in and readings come live.
        least = PAST + 1 if tally.kills == kills - 1 else 1
        said = await replay_and_kill(
            folder / "source", folder / "data", after_s, early=early and least == 1, least=least
        )
        tally.kills += 1
        tally.announced = max(tally.announced, said)
        findings, accepted, streamed = await look(folder / "data", records)
        if accepted < tally.announced:
            findings.append(f"{tally.announced} readings were announced, {accepted} are there")
        tally.accepted, tally.streamed = accepted, streamed
        tally.findings += [f"after kill {tally.kills}: {finding}" for finding in findings]
    return tally


async def look(data: Path, records: list[Record]) -> tuple[list[str], int, int]:
    """Return what is wrong in `data`, how many readings are in, and how many of them came live."""
    city = City(Settings(data=data, packs=(PACK,), feeds=False))
    try:
        await city.store.history.recover()
        kept = await city.store.work.read(_kept)
        if kept is None:
            return [], 0, 0
        due, live = _due(records, kept["cursor"])
        findings = await city.store.work.read(lambda tx: _findings(city, tx, records, due, kept))
        auditor = Actor("sys:tests", "city", frozenset({"auditor"}), "tests")
        for broken in await city.trust.audit.check(auditor):
            findings.append(f"audit line {broken.seq} is {broken.why}")
        return findings, kept["health"]["accepted"], live
    finally:
        await city.stop()


def meter_id(meter: str) -> str:
    """Return the id of a meter's entity."""
    return f"urn:ngsi-ld:Meter:{meter}"


def _kept(tx: Any) -> dict[str, Any] | None:
    for (state,) in tx.db.execute("SELECT state FROM feed_state WHERE feed = 'minutes'"):
        kept: dict[str, Any] = json.loads(state)
        return kept if kept["cursor"] is not None else None
    return None


def _due(records: list[Record], cursor: dict[str, Any]) -> tuple[list[Record], int]:
    """Return the records that the cursor says are in, in order, and how many of them came live."""
    until, goal = (datetime.fromisoformat(cursor[name]) for name in ("until", "goal"))
    due = [one for one in records if goal - BACKFILL < one.at <= until]
    ahead = [one for one in records if one.at > until]
    due += ahead[: cursor["taken"]]
    return due, sum(one.at > goal for one in due)


def _findings(
    city: City, tx: Any, records: list[Record], due: list[Record], kept: dict[str, Any]
) -> list[str]:
    findings = []
    if timedelta(days=kept["cursor"]["days"]) != SHIFT:
        findings.append(f"the recording is shifted by {kept['cursor']['days']} days")
    health = kept["health"]
    if (health["accepted"], health["rejected"]) != (len(due), 0):
        counted = f"{health['accepted']} accepted and {health['rejected']} rejected"
        findings.append(f"{counted} are counted, {len(due)} are due")
    with city.store.sealed.snapshot() as cursor:
        ((twice,),) = cursor.execute(
            "SELECT count(*) - count(DISTINCT (series, at_us)) FROM past"
        ).fetchall()
        live = dict(
            cursor.execute(
                # What came by the block carries the instant of the block.
                "SELECT series, count(*) FROM past"
                " WHERE modified_us NOT IN (SELECT recorded_us FROM block) GROUP BY series"
            ).fetchall()
        )
    if twice:
        findings.append(f"{twice} sealed rows are there twice")
    for meter in METERS:
        every = {one.shown_us: one.flow for one in records if one.meter == meter}
        wanted = {one.shown_us: one.flow for one in due if one.meter == meter}
        findings += _of_meter(city, tx, meter, every, wanted, live)
    return findings


def _of_meter(
    city: City,
    tx: Any,
    meter: str,
    every: dict[int, float],
    wanted: dict[int, float],
    sealed: dict[int, int],
) -> list[str]:
    findings = []
    entity_id, flow = meter_id(meter), name_iri("flow")
    got = city.store.history.numbers(tx, "city", entity_id, flow, Span())
    if len(dict(got)) != len(got):
        findings.append(f"{meter}: an instant is there twice")
    # A replay killed before its first block was counted begins again, some minutes later.
    oldest, newest = min(wanted), max(wanted)
    early = {at: value for at, value in got if at < oldest}
    kept = {at: value for at, value in got if at >= oldest}
    if kept != wanted:
        findings.append(
            f"{meter}: {len(wanted.keys() - kept.keys())} readings are lost,"
            f" {len(kept.keys() - wanted.keys())} are too many,"
            f" {sum(wanted.get(at, value) != value for at, value in kept.items())} differ"
        )
    if not early.items() <= every.items():
        findings.append(f"{meter}: {len(early)} early readings are not those of the recording")
    entity = city.model.get(tx, "city", entity_id)
    shown = instances(entity, "flow")[0] if entity is not None else {}
    if (shown.get("observedAt"), shown.get("value")) != (format_us(newest), wanted[newest]):
        findings.append(f"{meter}: the state shows {shown}, not the reading of {format_us(newest)}")
    numbers = {one.series for one in entries(tx, "city", entity_id, [flow])}
    recent = Counter(row[0] for row in unpacked(tx.db.execute(RECENT).fetchall()))
    written = sum(recent[number] + sealed.get(number, 0) for number in numbers)
    ((lines,),) = tx.db.execute("SELECT count(*) FROM audit WHERE object = ?", (entity_id,))
    if written != lines:
        findings.append(f"{meter}: {written} changes in the history, {lines} in the audit trail")
    return findings
