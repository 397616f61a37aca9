"""Builders for the tests of incidents: rain, water, roads, in two areas five kilometres apart."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from chengmai.incidents import Alarm, Chains, Incident, IncidentService, Order
from chengmai.kernel.clock import FixedClock
from chengmai.kernel.events import (
    CaseMoved,
    Event,
    Events,
    RuleFired,
    SensorSuspected,
    VitalCrossed,
)
from chengmai.kernel.ids import urn
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx
from chengmai.packs.chains import ChainLink, Folding
from chengmai.store.sqlite.incidents import SqliteIncidentStore
from tests.unit.cases.builders import MONDAY, SHANGHAI, MemoryModel, MemoryWork, an_actor, words

T = TypeVar("T")
OFFICER = an_actor("duty_officer")
PLACES = {"East": (120.05, 30.0), "West": (120.0, 30.0), "Far": (121.0, 30.0)}
MIN_US = 60 * 1_000_000


def a_link(cause: str, effect: str, hours: float = 3, **more: Any) -> ChainLink:
    return ChainLink(
        cause=cause,
        effect=effect,
        within=timedelta(hours=hours),
        because=words(f"{cause} leads to {effect}"),
        **more,
    )


def chains(**folding: Any) -> Chains:
    links = [
        a_link("env/rain", "env/water"),
        a_link("env/water", "roads/delay"),
        a_link("env/rain", "roads/delay"),
        a_link("env/water", "env/pump"),
        a_link("roads/delay", "care/ambulance", 1, place="anywhere"),
    ]
    usual = Folding(**{"window": timedelta(hours=1), "distance_m": 6000.0, **folding})
    return Chains(
        {(link.cause, link.effect): link for link in links},
        {"env": usual, "roads": usual, "care": usual},
    )


def an_alarm(
    sign: str = "env/rain",
    area: str = "East",
    start: float = 0,
    end: float | None = None,
    **more: Any,
) -> Alarm:
    """Return an alarm; `start` and `end` in minutes."""
    made: dict[str, Any] = {
        "vital": vital(sign, area),
        "sign": sign,
        "group": sign,
        "area": area,
        "start_us": round(start * MIN_US),
        "end_us": None if end is None else round(end * MIN_US),
        "place": PLACES.get(area),
    }
    return Alarm(**made | more)


def vital(sign: str, area: str) -> str:
    return urn("VitalSign", *sign.split("/"), area)


class City:
    """Incidents of a city in memory, with its clock."""

    def __init__(self, *, budget: int = 6) -> None:
        self.clock = FixedClock(MONDAY)
        self.work = MemoryWork(self.clock, "0150_incidents.sql")
        self.model = MemoryModel()
        self.events = Events()
        self.store = SqliteIncidentStore()
        self.incidents = IncidentService(
            work=self.work,
            model=self.model,
            store=self.store,
            chains=chains(),
            zone=SHANGHAI,
            budget=budget,
        )
        self.events.subscribe(VitalCrossed, self.incidents.on_vital_crossed)
        self.events.subscribe(SensorSuspected, self.incidents.on_sensor_suspected)
        self.events.subscribe(RuleFired, self.incidents.on_rule_fired)
        self.events.subscribe(CaseMoved, self.incidents.on_case_moved)

    def run(self, awaited: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(awaited)

    def tell(self, event: Event) -> None:
        def emit(tx: Tx) -> None:
            self.events.emit(tx, event)

        self.run(self.work.write(emit))

    def cross(
        self,
        sign: str = "env/rain",
        area: str = "East",
        level: str = "act",
        kind: str = "real",
        **more: Any,
    ) -> None:
        pack, _, name = sign.partition("/")
        made: dict[str, Any] = {
            "tenant": "city",
            "at": self.clock.now(),
            "kind": kind,
            "vital_id": vital(sign, area),
            "sign": name,
            "pack": pack,
            "area": area,
            "level": level,
            "previous_level": "normal",
            "value": 1.0,
            "unit": "",
            "title": words(name),
            "reason": words("1 is above 0"),
            "category": None,
            "location": {"type": "Point", "coordinates": list(PLACES[area])},
        }
        self.tell(VitalCrossed(**made | more))

    def recover(self, sign: str = "env/rain", area: str = "East") -> None:
        self.cross(sign, area, level="normal", kind="recovered")

    def suspect(self, area: str = "East", fault: str = "stuck", *, begun: bool = True) -> None:
        now = self.clock.now()
        self.tell(
            SensorSuspected(
                tenant="city",
                at=now,
                vital_id=vital("env/rain", area),
                sign="rain",
                pack="env",
                area=area,
                fault=fault,
                begun=begun,
                since=now,
                title=Text(zh="雨", en="rain"),
                reason=Text(zh="卡死", en="stuck"),
            )
        )

    def fire(
        self,
        pole: str = "one",
        area: str = "East",
        kind: str = "fired",
        place: tuple[float, float] | None = None,
        **more: Any,
    ) -> str:
        """Let the rule env/tilt fire on a pole, or recover; return the id of the firing."""
        firing = urn("RuleFiring", "env", "tilt", pole)
        made: dict[str, Any] = {
            "tenant": "city",
            "at": self.clock.now(),
            "kind": kind,
            "rule": urn("DeviceRule", "env", "tilt"),
            "key": "env/tilt",
            "firing": firing,
            "entity": urn("Pole", pole),
            "area": area,
            "level": "act",
            "title": words("tilt"),
            "reason": words("tilt>15"),
            "category": None,
            "location": {"type": "Point", "coordinates": list(place)} if place else None,
        }
        self.tell(RuleFired(**made | more))
        return firing

    def wait(self, **length: float) -> None:
        self.clock.advance(timedelta(**length))

    def open(self) -> list[Incident]:
        return self.run(self.incidents.page("city"))[0]

    def get(self, incident: Incident) -> Incident:
        return self.run(self.incidents.get("city", incident.id))

    def decide(self, incident: Incident, step: Any, **order: Any) -> Incident:
        return self.run(self.incidents.decide(incident.id, OFFICER, Order(step=step, **order)))


__all__ = ["OFFICER", "City", "a_link", "an_alarm", "chains", "vital"]
