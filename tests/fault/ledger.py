"""Clients that write to a server and keep, outside of it, what it acknowledged; and the check afterwards."""

from __future__ import annotations

import asyncio
import random
from asyncio.subprocess import Process
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from chengmai.app import City
from chengmai.history.model import Span
from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import format_instant, parse_instant, to_us
from chengmai.ngsild.entity import instances, name_iri
from chengmai.settings import Settings
from tests.fault.processes import a_server, environment, kill

V1 = "/ngsi-ld/v1/entities"
_FIRST = parse_instant("2026-11-01T00:00:00Z")


@dataclass
class Ledger:
    """What each client had acknowledged: entity → the last n; `open` is what it waited for when it died."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    open: dict[str, int] = field(default_factory=dict)
    answers: int = 0
    refused: int = 0


def instant(n: int) -> datetime:
    """Return when the n-th value of an entity was observed."""
    return _FIRST + timedelta(seconds=n)


def a_body(n: int) -> dict[str, Any]:
    """Return the n-th value of an entity, as a client sends it."""
    return {"type": "Property", "value": n, "observedAt": format_instant(instant(n))}


async def _write(client: httpx2.AsyncClient, entity_id: str, ledger: Ledger, updates: int) -> None:
    for n in range(updates + 1):
        ledger.open[entity_id] = n
        if n == 0:
            entity = {"id": entity_id, "type": "Counter", "n": a_body(0)}
            answer = await client.post(V1, json=entity)
        else:
            answer = await client.patch(f"{V1}/{entity_id}/attrs/n", json=a_body(n))
        if answer.status_code not in (201, 204):
            ledger.refused += 1
            return
        ledger.answers += 1
        ledger.acknowledged[entity_id] = n
        del ledger.open[entity_id]


async def client_of(
    client: httpx2.AsyncClient, name: str, ledger: Ledger, *, updates: int = 20
) -> None:
    """Create entities one after the other and update each, until the server is gone."""
    count = 0
    try:
        while True:
            await _write(client, f"urn:ngsi-ld:Counter:{name}-{count}", ledger, updates)
            count += 1
    except httpx2.TransportError:
        return


async def write_and_kill(
    data: Path, packs: Path, token: str, ledger: Ledger, luck: random.Random, *, clients: int = 16
) -> None:
    """Start a server on `data`, write to it with many clients, and kill it while they do."""
    async with a_server(data, environment(packs, feeds="false", seal_every_s=0.2), token=token) as (
        server,
        client,
    ):
        run = f"{luck.getrandbits(32):08x}"
        writing = [
            asyncio.create_task(client_of(client, f"{run}-{n}", ledger)) for n in range(clients)
        ]
        await _killed(server, luck.uniform(0.15, 0.65), ledger)
        await asyncio.gather(*writing)


async def _killed(server: Process, after_s: float, ledger: Ledger) -> None:
    before = ledger.answers
    while ledger.answers < before + 20:
        await asyncio.sleep(0.01)
    await asyncio.sleep(after_s)
    kill(server)


async def look(data: Path, packs: Path, ledger: Ledger) -> list[str]:
    """Return where the data differ from what was acknowledged."""
    city = City(Settings(data=data, packs=(packs,), feeds=False))
    try:
        await city.store.history.recover()
        findings = await city.store.work.read(lambda tx: _findings(city, tx, ledger))
        auditor = Actor("sys:tests", "city", frozenset({"auditor"}), "tests")
        broken = await city.trust.audit.check(auditor)
        return findings + [f"audit line {one.seq} is {one.why}" for one in broken]
    finally:
        await city.stop()


def _findings(city: City, tx: Any, ledger: Ledger) -> list[str]:
    findings: list[str] = []
    lines = dict(
        tx.db.execute("SELECT object, count(*) FROM audit WHERE tenant = 'city' GROUP BY object")
    )
    for entity_id in {*ledger.acknowledged, *ledger.open}:
        acknowledged = ledger.acknowledged.get(entity_id, -1)
        entity = city.model.get(tx, "city", entity_id)
        n = -1 if entity is None else int(instances(entity, "n")[0]["value"])
        # What was not answered may have been written or not; nothing else may differ.
        if n not in (acknowledged, ledger.open.get(entity_id, acknowledged)):
            findings.append(f"{entity_id} is at {n}, {acknowledged} was acknowledged")
        past = city.store.history.numbers(tx, "city", entity_id, name_iri("n"), Span())
        if past != [(to_us(instant(i)), float(i)) for i in range(n + 1)]:
            findings.append(f"{entity_id} is at {n}, and its past has {len(past)} values")
        if lines.get(entity_id, 0) != n + 1:
            findings.append(f"{entity_id} is at {n}, and {lines.get(entity_id, 0)} lines tell so")
    return findings
