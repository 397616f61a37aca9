"""One ASGI application: the machine API, a health answer, and the screens for everything else."""

from __future__ import annotations

import secrets

import orjson

from chengmai.app import City
from chengmai.broker.distribution.placing import RETURN_PATH
from chengmai.kernel.problems import Problem
from chengmai.settings import LOOPBACK, Settings
from chengmai.web.api.app import MachineApi, Receive, Scope, Send, send_response
from chengmai.web.api.http import MethodNotAllowed, Response
from chengmai.web.api.machine import Machine
from chengmai.web.api.openapi import PATH_OF_DOCUMENT, openapi
from chengmai.web.api.problems import problem_response
from chengmai.web.api.returning import Returning
from chengmai.web.cockpit.build import build_cockpit
from chengmai.web.cockpit.live_hub import LiveHub
from chengmai.web.cockpit.visit import CockpitSettings
from chengmai.web.desk.accounts import CityAccounts
from chengmai.web.desk.desk import CityDesk
from chengmai.web.desk.reviewing import CityReviewing
from chengmai.web.gate import OpenGate, TrustGate
from chengmai.web.metrics import CONTENT_TYPE, Meter
from chengmai.web.sta.app import PREFIX as STA
from chengmai.web.sta.app import SensorThingsApi
from chengmai.web.sta.service import SensorView


class CityWeb:
    """Everything a city answers over HTTP."""

    def __init__(self, city: City) -> None:
        settings = CockpitSettings(
            secret=city.secret("forms"),
            secure_cookies=_wants_tls(city.settings),
            report_font=city.settings.report_font,
        )
        self._city = city
        self._hub = LiveHub(secrets.token_hex(4))
        city.news.append(self._hub.publish)
        machine = Machine(
            broker=city.broker,
            past_writes=city.past_writes,
            subscribing=city.subscribing,
            contexts=city.contexts,
            shelf=city.shelf,
            forwarder=city.forwarder,
            expiring=city.expiring,
            registry=city.registry,
            reads=city.reads,
            discovery=city.discovery,
            past=city.past,
            instances_per_page=city.settings.instances_per_page,
            watching=city.watching.subscribing,
            writes=city.writes,
            batches=city.batches,
            identity=city.identity,
            maps=city.maps,
            snapshots=city.snapshots,
        )
        gate = TrustGate(city.trust, settings.session_cookie)
        self._is_open = city.settings.open_access
        self._api = MachineApi(
            machine,
            OpenGate(gate, city.settings.tenant) if self._is_open else gate,
            city.trust.tenants,
            self._check_room,
        )
        sensors = SensorView(city.broker, city.temporal)
        sta_gate = OpenGate(gate, city.settings.tenant) if self._is_open else gate
        self._sta = SensorThingsApi(sensors, sta_gate, city.settings.public_url)
        self._returning = Returning(city.far.handing_on, city.contexts, city.shelf)
        self._gate = gate
        self.meter = Meter(city, self._api.tally)
        desk = CityDesk(city)
        self._cockpit = build_cockpit(
            desk,
            CityAccounts(city.trust, city.settings.tenant),
            self._hub,
            settings,
            reviewing=CityReviewing(city, desk),
        )

    def close(self) -> None:
        """End every open stream, so that the server can stop."""
        self._hub.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"]
        if path.startswith(RETURN_PATH):
            await self._returning(scope, receive, send)
        elif path.startswith("/ngsi-ld/"):
            await self._api(scope, receive, send)
        elif path == STA or path.startswith(STA + "/"):
            await self._sta(scope, receive, send)
        elif path == "/health":
            await _health(send, is_open=self._is_open)
        elif path == "/metrics":
            await self._metrics(scope, send)
        elif path == PATH_OF_DOCUMENT:
            await _described(scope["method"], send)
        else:
            await self._cockpit(scope, receive, send)

    def _check_room(self) -> None:
        """Raise `OutboxFull` or `StoreBusy` when no change of entities is taken in now."""
        self._city.delivery.check_room()
        self._city.store.work.check_room()

    async def _metrics(self, scope: Scope, send: Send) -> None:
        """Give the figures of the running city to whoever may see them (action `metrics.read`)."""
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        try:
            if scope["method"] not in ("GET", "HEAD"):
                raise MethodNotAllowed(scope["method"], ["GET", "HEAD"])
            self._gate.allow(await self._gate.actor(headers, "GET"), "metrics.read")
            response = Response(
                200, await self.meter.exposition(), [("Content-Type", CONTENT_TYPE)]
            )
        except Problem as problem:
            response = problem_response(problem)
        await send_response(response, send, head=scope["method"] == "HEAD")


def _wants_tls(settings: Settings) -> bool:
    chosen = settings.secure_cookies
    return settings.host not in LOOPBACK if chosen is None else chosen


async def _described(method: str, send: Send) -> None:
    """Give the description of the machine API, which tells nothing about this city, to whoever asks."""
    known = method in ("GET", "HEAD")
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"public, max-age=3600")]
    if not known:
        headers.append((b"allow", b"GET, HEAD"))
    await send({"type": "http.response.start", "status": 200 if known else 405, "headers": headers})
    body = orjson.dumps(openapi()) if method == "GET" else b""
    await send({"type": "http.response.body", "body": body})


async def _health(send: Send, *, is_open: bool) -> None:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    body = b'{"status":"ok","access":"open"}' if is_open else b'{"status":"ok"}'
    await send({"type": "http.response.body", "body": body})
