"""Builders: a real city in a temporary folder, with its HTTP application and somebody to ask it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx2

from chengmai.app import City
from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import FixedClock
from chengmai.packs.reader import shipped_packs
from chengmai.settings import Settings
from chengmai.store.opened import open_store
from chengmai.store.sqlite.file import load_or_make_key
from chengmai.trust.audit import AuditRecord, Broken
from chengmai.vitals.signs import PreparedPacks
from chengmai.web.app import CityWeb

PACK = Path(__file__).parent / "pack"
NOON = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
"""The instant at which test cities stand: 16:00 in Shanghai."""
_SET_UP = timedelta(minutes=-1)
V1 = "/ngsi-ld/v1"
STATION = "urn:ngsi-ld:AirQualityObserved:dongsi"
CORE_LINK = (
    "<https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.9.jsonld>;"
    ' rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
)


@dataclass
class House:
    """A city that answers requests. `ask` sends one with a manager's token unless told otherwise."""

    city: City
    web: CityWeb
    clock: FixedClock
    client: httpx2.AsyncClient
    bearer: str = ""

    async def token(self, *roles: str, tenant: str = "city") -> str:
        """Return a token of a machine with these roles."""
        admin = Actor("sys:tests", tenant, frozenset({"admin"}), "tests")
        made = await self.city.trust.tokens.create_token("test", roles, by=admin)
        return made.secret

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        ld: bool = False,
        **headers: str,
    ) -> httpx2.Response:
        """Return the answer to one request below /ngsi-ld/v1; `body` is sent as JSON, bytes as they are.

        Header names are given with `_` for `-`; `token=""` sends no credentials.
        """
        bearer = self.bearer if token is None else token
        sent = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        if body is not None:
            sent["Content-Type"] = "application/ld+json" if ld else "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        return await self.client.request(
            method, V1 + path, headers=sent, **(content if body is not None else {})
        )

    async def get(self, path: str, *, token: str | None = None, **headers: str) -> Any:
        """Return the parsed body of a GET that must succeed."""
        response = await self.ask("GET", path, token=token, ld=False, **headers)
        assert response.status_code == 200, response.text
        return response.json()

    async def audit(self, *, tenant: str = "city") -> list[AuditRecord]:
        """Return the audit lines of a tenant."""
        return await self.city.trust.audit.read(auditor(tenant), limit=1000)

    async def broken(self, *, tenant: str = "city") -> list[Broken]:
        """Return where the audit chain of a tenant is broken."""
        return await self.city.trust.audit.check(auditor(tenant))


def _prepared(packs: tuple[Path, ...]) -> PreparedPacks | None:
    """Return packs that no test changes, which are read once; others are read by the city itself."""
    homes = (PACK, shipped_packs())
    ours = all(any(one.is_relative_to(home) for home in homes) for one in packs)
    return _read_once(packs) if ours else None


@cache
def _read_once(packs: tuple[Path, ...]) -> PreparedPacks:
    return PreparedPacks.read(packs)


@cache
def _empty_city() -> Path:
    """Return the files of a city in which nothing was done yet: a copy costs less than making them anew.

    Its name among brokers is not among them, since each has one of its own.
    """
    home = Path(tempfile.mkdtemp(prefix="chengmai-tests-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    folder = home / "data"
    folder.mkdir(mode=0o700)
    key = load_or_make_key(folder / "state.key")
    store = open_store(Settings(data=folder), key, FixedClock(NOON))
    with store.sealed.snapshot():
        pass
    store.close()
    return folder


def auditor(tenant: str) -> Actor:
    """Return somebody who may read the audit trail."""
    return Actor("sys:tests", tenant, frozenset({"auditor"}), "tests")


@asynccontextmanager
async def a_house(
    folder: Path, *, clock: FixedClock | None = None, **settings: Any
) -> AsyncIterator[House]:
    """Yield a city in `folder` that answers requests and delivers notifications; no feeds, no vital signs."""
    clock = clock or FixedClock(NOON)
    if not folder.exists() or not any(folder.iterdir()):
        shutil.copytree(_empty_city(), folder, dirs_exist_ok=True)
    given: dict[str, Any] = {"feeds": False, "packs": (PACK,), "private_egress": True} | settings
    city = City(
        Settings(data=folder, **given),
        real_clock=clock,
        prepared=_prepared(given["packs"] or (shipped_packs(),)),
    )
    web = CityWeb(city)
    transport = httpx2.ASGITransport(app=web)
    try:
        await city.store.history.recover()
        await city.shelf.load()
        await city.subscribing.load()
        await city.expiring.load()
        await city.registry.load()
        await city.watching.start()
        await city.snapshots.load()
        await city.delivery.start()
        await city.timetable.start()
        await city.rules.load()
        async with httpx2.AsyncClient(transport=transport, base_url="http://city.test") as client:
            house = House(city, web, clock, client)
            # Setting up writes too, and no two changes share an instant: it is done a minute before.
            clock.advance(_SET_UP)
            house.bearer = await house.token("manager")
            clock.advance(-_SET_UP)
            yield house
    finally:
        web.close()
        await city.stop()


def a_station(entity_id: str = STATION, **attributes: Any) -> dict[str, Any]:
    """Return a station as a client sends it, normalized; `attributes` are added or replaced."""
    made: dict[str, Any] = {
        "id": entity_id,
        "type": "AirQualityObserved",
        "pm25": {
            "type": "Property",
            "value": 42.5,
            "unitCode": "GQ",
            "observedAt": "2026-11-22T07:00:00Z",
        },
        "name": {"type": "LanguageProperty", "languageMap": {"zh": "东四", "en": "Dongsi"}},
        "areaServed": {"type": "Property", "value": "东城区"},
        "location": {
            "type": "GeoProperty",
            "value": {"type": "Point", "coordinates": [116.417, 39.929]},
        },
        "ownedBy": {"type": "Relationship", "object": "urn:ngsi-ld:Organization:eco"},
    }
    return made | attributes


def to_second(instant: str) -> str:
    """Return an instant without its fraction: changes on a clock that stands differ in microseconds."""
    return instant[:19] + "Z"


def number(value: float, at: str | None = None) -> dict[str, Any]:
    """Return a numeric Property, observed at an instant where one is given."""
    return {"type": "Property", "value": value} | ({"observedAt": at} if at else {})


async def created(house: House, *entities: dict[str, Any]) -> None:
    """Create entities that must be new."""
    for entity in entities:
        response = await house.ask("POST", "/entities", entity)
        assert response.status_code == 201, response.text
