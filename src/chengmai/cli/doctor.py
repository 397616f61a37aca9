"""`chengmai doctor`: what is wrong with this city, and what to do about it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import typer

from chengmai import __version__
from chengmai.app import City
from chengmai.cli.open import DataOption, JsonOption, opened, operator, settings_with
from chengmai.cli.output import print_json
from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import to_us
from chengmai.kernel.problems import Problem
from chengmai.ngsild.entity import value_of
from chengmai.packs.reader import read_packs, shipped_packs
from chengmai.settings import Settings
from chengmai.store.sqlite.file import is_plain
from chengmai.vitals.signs import signs_of
from chengmai.web.metrics import STATUS_FILE, Status

_LEAST_FREE = 1024**3
_SILENT_S = 60
_LATE_S = 1.0
_LARGE_WAL = 1024**3


@dataclass(frozen=True)
class Check:
    """One thing looked at: whether it is well, what was seen, what to do when it is not."""

    name: str
    well: bool
    seen: str
    to_do: str = ""


def doctor(data: DataOption = None, json: JsonOption = False) -> None:
    """Look at installation, packs, files, feeds, sources and audit chain; exit 1 when something is not well."""
    settings = settings_with(data=data)
    checks = [_packs(settings), _screens(), _disk(settings), _access(settings)]
    if (settings.data / "state.db").exists():
        checks += asyncio.run(_city(settings))
    else:
        checks.append(Check("city", True, f"none yet in {settings.data}"))
    if json:
        print_json({"version": __version__, "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            typer.echo(f"{'well ' if check.well else 'BAD  '} {check.name}: {check.seen}")
            if not check.well and check.to_do:
                typer.echo(f"       to do: {check.to_do}")
    if not all(check.well for check in checks):
        raise typer.Exit(1)


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except Problem as problem:
        return Check(name, False, problem.detail, problem.fix or "")


def _packs(settings: Settings) -> Check:
    def look() -> Check:
        packs = read_packs(settings.packs or (shipped_packs(),))
        signs = signs_of(packs)
        return Check("packs", True, f"{len(packs)} packs, {len(signs)} vital signs")

    return _guarded("packs", look)


def _screens() -> Check:
    vendor = Path(__file__).parent.parent / "web" / "static" / "vendor"
    built = vendor.is_dir() and any(vendor.rglob("*.mjs"))
    seen = "maps and charts are built" if built else "plain tables and drawings only"
    return Check("screens", built, seen, "install npm and run make front-end")


def _disk(settings: Settings) -> Check:
    folder = settings.data
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return Check(
        "disk", free >= _LEAST_FREE, f"{free / 1024**3:.1f} GiB free", "free at least 1 GiB"
    )


def _access(settings: Settings) -> Check:
    if not settings.open_access:
        return Check("access", True, "the machine API asks for credentials")
    # Not a fault by itself, or a test profile could never be well; it must be seen all the same.
    return Check("access", True, "OPEN: every program on this machine may read and change the city")


async def _city(settings: Settings) -> list[Check]:
    plain = is_plain(settings.data / "state.db")
    checks = [Check("encryption", not plain, "plain file" if plain else "encrypted")]
    try:
        async with opened(settings) as city:
            checks += await _inside(city)
    except Problem as problem:
        checks.append(Check("files", False, problem.detail, problem.fix or ""))
    return checks


async def _inside(city: City) -> list[Check]:
    auditor = Actor("sys:doctor", city.settings.tenant, frozenset({"auditor"}), "doctor")
    broken = await city.trust.audit.check(auditor)
    head = await city.trust.audit.head(auditor)
    accounts = await city.trust.accounts.list_accounts(operator(city))
    depth = await city.store.work.read(_depths)
    checks = [
        Check(
            "audit",
            not broken,
            f"{head.seq} lines, whole" if not broken else f"broken at line {broken[0].seq}",
            "keep this folder as evidence and restore from a backup",
        ),
        Check("accounts", bool(accounts), f"{len(accounts)} accounts", "start the city once"),
        Check("history", True, f"{depth['recent']} recent rows wait for sealing"),
        Check("outbox", True, f"{depth['outbox']} notifications due"),
        _running(city.settings.data / STATUS_FILE, city.real_clock.now()),
    ]
    for feed in await city.store.work.read(
        lambda tx: city.model.find(tx, city.settings.tenant, "DataFeed")
    ):
        state = str(value_of(feed, "feedState"))
        rejected = value_of(feed, "rejected") or 0
        checks.append(
            Check(
                f"feed {feed['id'].removeprefix('urn:ngsi-ld:DataFeed:')}",
                state not in ("failed",),
                f"{state}, {value_of(feed, 'accepted') or 0} accepted, {rejected} rejected",
                "see the feeds page for the reasons",
            )
        )
    return checks + await _sources(city)


async def _sources(city: City) -> list[Check]:
    """Return how requests to each registered context source went, as far as it was ever asked."""
    await city.registry.load()
    checks = []
    for one in city.registry.book.of(city.settings.tenant):
        told = city.registry.shown(one)
        state = told.get("status", "not asked yet")
        seen = f"{state}, {told.get('timesSent', 0)} asked, {told.get('timesFailed', 0)} failed"
        name = f"source {one.id.rpartition(':')[2]}"
        to_do = f"see whether {one.endpoint} answers, or delete the registration"
        checks.append(Check(name, state != "failed", seen, to_do))
    return checks


def _running(path: Path, now: datetime) -> Check:
    """Return what a running city said of itself last."""
    try:
        said = Status(**orjson.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return Check("running", True, "it does not run, or runs without saying how it is")
    age = to_us(now) / 1e6 - said.at_us / 1e6
    commit = (
        "none yet" if said.commit_p99_s is None else f"99 % within {said.commit_p99_s * 1000:g} ms"
    )
    seen = (
        f"{age:.0f} s ago: {said.writes_waiting} writes waiting, commits {commit},"
        f" WAL {said.wal_bytes / 2**20:.1f} MiB, sealing {said.seal_lag_s:.0f} s behind,"
        f" memory {said.memory_bytes / 2**20:.0f} MiB, loop {said.loop_lag_s * 1000:.0f} ms late"
    )
    well = age < _SILENT_S and said.loop_lag_s < _LATE_S and said.wal_bytes < _LARGE_WAL
    return Check("running", well, seen, "see docs/run/observe.md: what to watch, and what it means")


def _depths(tx: Any) -> dict[str, int]:
    ((recent,),) = tx.db.execute("SELECT count(*) FROM recent")
    both = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM csource_outbox)"
    ((outbox,),) = tx.db.execute(both)
    return {"recent": recent, "outbox": outbox}
