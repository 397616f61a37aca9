"""Takes readings into the model: values, cursor and the feed's health in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from chengmai.connect.health import FeedHealth, feed_entity, load_entity
from chengmai.connect.ports import Cursor, FeedModel, FeedStore, PastImport
from chengmai.connect.reading import Reading, Reject, Static, Value
from chengmai.history.model import PastRow
from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import format_instant, parse_instant, to_us
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import (
    Entity,
    Instance,
    entity,
    geo,
    instances,
    name_iri,
    prop,
    value_of,
    words,
)
from chengmai.packs.feeds import FeedSpec
from chengmai.packs.model import EntitySpec

STATUS_EVERY = timedelta(minutes=1)


class Intake:
    """Where all feeds put their readings; one for the city.

    A feed's own entity is written when its state changes and otherwise at most once in `status_every`
    of the city's time.
    """

    def __init__(
        self,
        work: Work[Tx],
        model: FeedModel,
        feeds: FeedStore,
        past: PastImport,
        *,
        by: Actor,
        status_every: timedelta = STATUS_EVERY,
    ) -> None:
        self._work = work
        self._model = model
        self._feeds = feeds
        self._past = past
        self._by = by
        self._status_every = status_every

    @property
    def by(self) -> Actor:
        """Who brings the readings in."""
        return self._by

    def sink(self, pack: str, feed: FeedSpec, entity_spec: EntitySpec) -> FeedSink:
        """Return the sink of one feed of `pack`, whose readings are of `entity_spec`."""
        return FeedSink(self, pack, feed, entity_spec)

    async def accept(
        self,
        pack: str,
        feed: FeedSpec,
        spec: EntitySpec,
        readings: Sequence[Reading],
        rejects: Sequence[Reject],
        cursor: Cursor | None,
    ) -> int:
        """Commit a batch; return how many readings changed something."""

        def write(tx: Tx) -> int:
            refused = list(rejects)
            taken = [r for r in readings if self._take(tx, spec, r, refused)]
            newest = max((r.observed_at for r in taken), default=None)
            seen = tx.now if taken else None
            kept = _Kept.load(self._feeds.load(tx, self._by.tenant, feed.id))
            kept.health = kept.health.after(len(taken), refused, seen=seen, newest=newest)
            self._save(tx, pack, feed, kept, cursor)
            return len(taken)

        return await self._work.write(write)

    async def alive(self, pack: str, feed: FeedSpec) -> None:
        """Note that the source of a feed answered, and that nothing in it has changed."""

        def write(tx: Tx) -> None:
            kept = _Kept.load(self._feeds.load(tx, self._by.tenant, feed.id))
            kept.health = kept.health.after(0, [], seen=tx.now, newest=None)
            self._save(tx, pack, feed, kept, None)

        await self._work.write(write)

    async def backfill(
        self,
        block_id: str,
        pack: str,
        feed: FeedSpec,
        spec: EntitySpec,
        readings: Sequence[Reading],
        rejects: Sequence[Reject],
        cursor: Cursor,
    ) -> None:
        """Bring in a block of the past, then put the newest reading of each entity into the model."""
        if readings:
            await self._past.import_block(self._by.tenant, block_id, _past_rows(readings, spec))
        newest: dict[str, Reading] = {}
        for reading in readings:
            known = newest.get(reading.entity_id)
            if known is None or known.observed_at <= reading.observed_at:
                newest[reading.entity_id] = reading

        def write(tx: Tx) -> None:
            for reading in newest.values():
                self._take(tx, spec, reading, [])
            kept = _Kept.load(self._feeds.load(tx, self._by.tenant, feed.id))
            at = max((reading.observed_at for reading in newest.values()), default=None)
            kept.health = kept.health.after(len(readings), rejects, seen=at, newest=at)
            self._save(tx, pack, feed, kept, cursor)

        await self._work.write(write)

    async def cursor(self, feed: FeedSpec) -> dict[str, Any] | None:
        """Return the committed cursor of `feed`, or None."""
        load = await self._work.read(lambda tx: self._feeds.load(tx, self._by.tenant, feed.id))
        return _Kept.load(load).cursor

    async def publish_load(self, feeds: Sequence[FeedSpec]) -> None:
        """Write the entity `FeedLoad` of these feeds, for signs to watch."""

        def write(tx: Tx) -> None:
            kept = [_Kept.load(self._feeds.load(tx, self._by.tenant, feed.id)) for feed in feeds]
            health = [(feed, one.health) for feed, one in zip(feeds, kept, strict=True)]
            at = tx.now.replace(microsecond=0)
            self._model.put(tx, load_entity(health, at), by=self._by)

        await self._work.write(write)

    async def tell(
        self, pack: str, feed: FeedSpec, *, ended: str | None = None, detail: str = ""
    ) -> None:
        """Look at the feed's state again, and say that it `ended` (`finished`, `failed`, "" = runs)."""

        def write(tx: Tx) -> None:
            kept = _Kept.load(self._feeds.load(tx, self._by.tenant, feed.id))
            if ended is not None:
                kept.health = replace(kept.health, ended=ended, detail=detail[:500])
            self._save(tx, pack, feed, kept, None)

        await self._work.write(write)

    def _save(self, tx: Tx, pack: str, feed: FeedSpec, kept: _Kept, cursor: Cursor | None) -> None:
        if cursor is not None:
            kept.cursor = dict(cursor)
        state = kept.health.state(feed, tx.now)
        shown = f"{state} {kept.health.detail}"
        if kept.shown != shown or kept.is_due(tx.now, self._status_every):
            kept.shown, kept.shown_at = shown, tx.now
            made = feed_entity(pack, feed, kept.health, tx.now)
            self._model.put(tx, made, by=self._by, note=f"feed {feed.id} is {state}")
        self._feeds.save(tx, self._by.tenant, feed.id, kept.as_json())

    def _take(self, tx: Tx, spec: EntitySpec, reading: Reading, refused: list[Reject]) -> bool:
        """Put what is new of `reading`; return whether anything was, and say in `refused` that nothing was.

        What is older than the live state goes to its place in the past and leaves the state alone.
        """
        stored = self._model.get(tx, self._by.tenant, reading.entity_id)
        changes: dict[str, Instance] = {}
        late: list[tuple[str, Instance]] = []
        for name, value in reading.values.items():
            static = spec.attributes[name].static
            at = None if static else reading.observed_at
            made = prop(value, unit=spec.attributes[name].unit, at=at)
            news = _news(_default_instance(stored, name), value, reading.observed_at, static=static)
            if news == "late":
                late.append((name_iri(name), made))
            elif news == "new":
                changes[name] = made
        if late:
            self._model.remember(tx, reading.entity_id, late, by=self._by)
        moved = _static_changes(reading.static, stored) if changes or not late else {}
        if not changes and not moved:
            if not late:
                refused.append(_duplicate(reading, tx.now))
            return bool(late)
        changes |= moved
        made = entity(reading.entity_id, reading.entity_type, **changes)
        self._model.put(tx, made, by=self._by)
        return True


class FeedSink:
    """The sink of one feed. Implements `connect.ports.Sink`."""

    def __init__(self, intake: Intake, pack: str, feed: FeedSpec, spec: EntitySpec) -> None:
        self._intake = intake
        self._pack = pack
        self._feed = feed
        self._spec = spec
        self.handed = 0
        """How many readings were handed over since the start; shows that the connector works."""

    async def cursor(self) -> dict[str, Any] | None:
        return await self._intake.cursor(self._feed)

    async def accept(
        self, readings: Sequence[Reading], rejects: Sequence[Reject], cursor: Cursor | None = None
    ) -> None:
        await self._intake.accept(self._pack, self._feed, self._spec, readings, rejects, cursor)
        self.handed += len(readings)

    async def alive(self) -> None:
        await self._intake.alive(self._pack, self._feed)

    async def backfill(
        self,
        block_id: str,
        readings: Sequence[Reading],
        rejects: Sequence[Reject],
        cursor: Cursor,
    ) -> None:
        await self._intake.backfill(
            block_id, self._pack, self._feed, self._spec, readings, rejects, cursor
        )
        self.handed += len(readings)

    async def tell(self, *, ended: str | None = None, detail: str = "") -> None:
        """Look at the feed's state again, and say that it ended or runs."""
        await self._intake.tell(self._pack, self._feed, ended=ended, detail=detail)


class _Kept:
    """What stands in the feed's row: cursor, health, and what was last shown of it."""

    def __init__(self) -> None:
        self.cursor: dict[str, Any] | None = None
        self.health = FeedHealth()
        self.shown = ""
        self.shown_at: datetime | None = None

    @classmethod
    def load(cls, saved: Mapping[str, Any] | None) -> _Kept:
        kept = cls()
        if saved is not None:
            kept.cursor = saved["cursor"]
            kept.health = FeedHealth.from_json(saved["health"])
            kept.shown = saved["shown"]
            kept.shown_at = parse_instant(saved["shown_at"]) if saved["shown_at"] else None
        return kept

    def is_due(self, now: datetime, every: timedelta) -> bool:
        return self.shown_at is None or now - self.shown_at >= every

    def as_json(self) -> dict[str, Any]:
        return {
            "cursor": self.cursor,
            "health": self.health.as_json(),
            "shown": self.shown,
            "shown_at": format_instant(self.shown_at) if self.shown_at else None,
        }


def _default_instance(stored: Entity | None, name: str) -> Instance | None:
    for instance in instances(stored, name) if stored is not None else ():
        if "datasetId" not in instance:
            return instance
    return None


def _news(
    known: Instance | None, value: Value, at: datetime, *, static: bool
) -> Literal["new", "late", "known"]:
    """Return what a value is beside the one that stands: the state from now on, or its past."""
    if known is None:
        return "new"
    same = known.get("value") == value
    if static:
        return "known" if same else "new"
    observed = known.get("observedAt")
    if observed is None or parse_instant(observed) < at:
        return "new"
    if parse_instant(observed) > at:
        return "late"
    return "known" if same else "new"


def _duplicate(reading: Reading, now: datetime) -> Reject:
    detail = "the same values were received before"
    sample = f"{format_instant(reading.observed_at)} {dict(reading.values)}"[:200]
    return Reject("duplicate", reading.entity_id, detail, sample, now)


def _static_changes(static: Static | None, stored: Entity | None) -> dict[str, Instance]:
    """Return the static attributes that are new or differ from the stored entity."""
    if static is None:
        return {}
    wanted: dict[str, Instance] = {"areaServed": prop(static.area)}
    if static.name is not None:
        wanted["name"] = words({"zh": static.name, "en": static.name})
    if static.location is not None:
        wanted["location"] = geo(dict(static.location))
    if stored is None:
        return wanted
    return {
        name: instance
        for name, instance in wanted.items()
        if value_of(stored, name) != instance.get("languageMap", instance.get("value"))
    }


def _past_rows(readings: Sequence[Reading], spec: EntitySpec) -> list[PastRow]:
    numbers = {
        name: (name_iri(name), attribute.unit or "")
        for name, attribute in spec.attributes.items()
        if attribute.value == "number" and not attribute.static
    }
    return [
        PastRow(
            reading.entity_id,
            numbers[name][0],
            to_us(reading.observed_at),
            float(value),
            numbers[name][1],
        )
        for reading in readings
        for name, value in reading.values.items()
        if name in numbers
    ]
