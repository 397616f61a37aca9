"""Settings, clock, packs, store and events of a city: what every room stands on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from chengmai.assess import countries
from chengmai.assess.panel.model import SHEET_TYPE
from chengmai.assess.records import KINDS
from chengmai.broker.model import Change
from chengmai.broker.spaces import is_space
from chengmai.city_time import city_clock
from chengmai.kernel.clock import Clock, SystemClock
from chengmai.kernel.events import Events
from chengmai.packs.model import Pack
from chengmai.packs.reader import shipped_packs
from chengmai.settings import Settings
from chengmai.store.opened import open_store
from chengmai.store.sqlite.file import load_or_make_key
from chengmai.vitals.signs import PreparedPacks

News = Callable[[str, str, dict[str, Any]], None]
"""Told (tenant, topic, data) after each commit."""

_TOPICS = {
    "VitalSign": "vitals",
    "Forecast": "vitals",
    "CityCase": "cases",
    "DeviceCommand": "cases",
    "DataFeed": "feeds",
    "Incident": "cases",
    **dict.fromkeys((kind.entity_type for kind in KINDS.values()), "assess"),
    SHEET_TYPE: "assess",
    countries.TYPE: "assess",
}


class Ground:
    """What every room stands on."""

    def __init__(
        self,
        settings: Settings,
        real_clock: Clock | None = None,
        prepared: PreparedPacks | None = None,
    ) -> None:
        self.settings = settings
        self.real_clock = real_clock or SystemClock()
        # The history file is not encrypted: nobody but its owner looks into the folder.
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = load_or_make_key(settings.data / "state.key", protects=settings.data / "state.db")
        self.clock = city_clock(settings, key, self.real_clock)
        self.zone = ZoneInfo(settings.zone)
        self.prepared = prepared or PreparedPacks.read(settings.packs or (shipped_packs(),))
        self.packs: list[Pack] = list(self.prepared.packs)
        self.news: list[News] = []
        self.changed: list[Callable[[str, Sequence[str]], None]] = []
        """Told (tenant, types) after each commit."""
        self.store = open_store(settings, key, self.clock)
        self.events = Events()

    def secret(self, name: str) -> bytes:
        """Return 32 random bytes kept in the data folder under `name`; made at first use."""
        return bytes.fromhex(load_or_make_key(self.settings.data / f"{name}.key"))

    def _publish(self, change: Change) -> None:
        if is_space(change.tenant):
            return
        for note in self.changed:
            note(change.tenant, change.types)
        for type_iri in change.types:
            if (topic := _TOPICS.get(type_iri.rpartition("/")[2])) is not None:
                for tell in self.news:
                    tell(change.tenant, topic, {"id": change.entity_id})
