"""Which feeds run, and the connector of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from chengmai.connect.formats.choice import format_of
from chengmai.connect.formats.fetching import Reach
from chengmai.connect.formats.polled import PolledConnector
from chengmai.connect.http import HttpConnector
from chengmai.connect.intake import Intake
from chengmai.connect.mqtt import MqttConnector
from chengmai.connect.ports import Connector
from chengmai.connect.problems import CredentialsMissing
from chengmai.connect.replay import ReplayConnector
from chengmai.connect.runner import FeedJob
from chengmai.connect.simulate.city import SimulatedCity
from chengmai.connect.simulate.connector import SimulateConnector
from chengmai.connect.simulate.labels import IncidentLog
from chengmai.connect.simulate.orders import Orders
from chengmai.kernel.clock import Clock
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.model import Model
from chengmai.packs.feeds import (
    AddressedFeed,
    FeedSpec,
    FormatFeed,
    HttpFeed,
    MqttFeed,
    ReplayFeed,
    SimulateFeed,
)
from chengmai.packs.model import EntitySpec, Pack

_SHORTEST_WAIT_S = 0.05


class ClockPace:
    """Waits in the city's time, which runs `rate` times as fast as real time."""

    def __init__(self, clock: Clock, rate: float) -> None:
        self._clock = clock
        self._rate = rate
        self.reached = asyncio.Event()
        """Set once somebody waits: whoever waits for what comes has handed over what was."""

    def now(self) -> datetime:
        return self._clock.now()

    async def wait(self, city: timedelta) -> None:
        self.reached.set()
        await asyncio.sleep(max(_SHORTEST_WAIT_S, city.total_seconds() / self._rate))


class FeedFactory:
    """The feeds of a city: recordings where it has a folder of them, else the simulation; live ones always."""

    def __init__(
        self,
        packs: Sequence[Pack],
        intake: Intake,
        *,
        clock: Clock,
        machine_now: Callable[[], datetime],
        rate: float,
        zone: ZoneInfo,
        source: Path | None,
        simulated: SimulatedCity | None,
        orders: Orders | None = None,
        credentials: Mapping[str, SecretStr],
        addresses: Mapping[str, str] | None = None,
        reach: Reach | None = None,
    ) -> None:
        self._packs = packs
        self._intake = intake
        self._clock = clock
        self._machine_now = machine_now
        self._rate = rate
        self._zone = zone
        self._source = source
        self._simulated = simulated
        self._orders = orders
        self._credentials = credentials
        self._addresses = addresses or {}
        self._reach = reach or Reach()
        self._paces: list[ClockPace] = []

    def jobs(self) -> list[FeedJob]:
        """Return the feeds to run."""
        return [self._job(pack, feed) for pack, feed in self.chosen()]

    def chosen(self) -> Iterator[tuple[Pack, FeedSpec]]:
        """Yield (pack, feed) of those that run: a recording whose files are missing does not."""
        for pack in self._packs:
            for feed in pack.feeds:
                if isinstance(feed, ReplayFeed):
                    runs = self._source is not None and all(
                        any(self._source.glob(name)) for name in feed.source.files
                    )
                elif isinstance(feed, SimulateFeed):
                    runs = self._simulated is not None
                elif isinstance(feed, AddressedFeed):
                    runs = self._address(feed) is not None
                else:
                    runs = True
                if runs:
                    yield pack, feed

    async def tell_off(self) -> None:
        """Write for each feed without an address that it is off, and what would set it going."""
        for pack in self._packs:
            for feed in pack.feeds:
                if isinstance(feed, AddressedFeed) and self._address(feed) is None:
                    await self._intake.tell(pack.info.id, feed, ended="off")

    def _address(self, feed: AddressedFeed) -> str | None:
        return self._addresses.get(feed.id) or feed.source.address

    def incident_log(self, work: Work[Tx], model: Model) -> IncidentLog | None:
        """Return what writes down the ground truth of the simulated city; None where nothing is simulated."""
        if self._simulated is None:
            return None
        pace = ClockPace(self._clock, self._rate)
        return IncidentLog(self._simulated, work, model, pace, by=self._intake.by)

    async def filled(self, timeout_s: float = 120.0) -> bool:
        """Return once every feed has brought its past; False when one has not after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                for pace in self._paces:
                    await pace.reached.wait()
        except TimeoutError:
            return False
        return True

    def _job(self, pack: Pack, feed: FeedSpec) -> FeedJob:
        spec = next(spec for spec in pack.entities if spec.type == feed.entity)
        sink = self._intake.sink(pack.info.id, feed, spec)
        pace = ClockPace(self._clock, self._rate)
        if isinstance(feed, ReplayFeed | SimulateFeed):
            self._paces.append(pace)
        return FeedJob(f"{pack.info.id}/{feed.id}", sink, lambda: self._connector(feed, spec, pace))

    def _connector(self, feed: FeedSpec, spec: EntitySpec, pace: ClockPace) -> Connector:
        match feed:
            case ReplayFeed():
                assert self._source is not None
                return ReplayConnector(
                    feed,
                    spec,
                    self._source,
                    zone=self._zone,
                    pace=pace,
                    machine_now=self._machine_now,
                )
            case SimulateFeed():
                assert self._simulated is not None
                return SimulateConnector(feed, self._simulated, pace, self._orders)
            case MqttFeed():
                user, _, password = self._secret(feed.source.credentials).partition(":")
                return MqttConnector(
                    feed,
                    spec,
                    clock=self._clock,
                    username=user or None,
                    password=password or None,
                    private=self._reach.private,
                )
            case HttpFeed():
                header = self._secret(feed.source.credentials)
                headers = {"Authorization": header} if header else None
                return HttpConnector(
                    feed, spec, clock=self._clock, headers=headers, private=self._reach.private
                )
        if isinstance(feed, FormatFeed):
            return self._polled(feed, spec)
        raise AssertionError(feed)

    def _polled(self, feed: FormatFeed, spec: EntitySpec) -> Connector:
        header = self._secret(feed.source.credentials)
        address = self._address(feed)
        assert address is not None
        return PolledConnector(
            feed,
            spec,
            format_of(feed, address),
            reach=self._reach,
            clock=self._clock,
            headers={"Authorization": header} if header else None,
        )

    def _secret(self, name: str | None) -> str:
        if name is None:
            return ""
        if name not in self._credentials:
            raise CredentialsMissing(
                f"the feed wants credentials {name!r}, and the city has none of that name",
                param="source.credentials",
                fix=f'set CHENGMAI_CREDENTIALS={{"{name}": "…"}}',
            )
        return self._credentials[name].get_secret_value()
