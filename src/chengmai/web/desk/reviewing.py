"""Looking back, forecast quality and thresholds of a running city, put onto the rooms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from chengmai.app import City
from chengmai.forecast.quality import Standing as Judged
from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import parse_instant
from chengmai.kernel.problems import NotFound
from chengmai.kernel.texts import Text
from chengmai.ngsild.entity import Entity, attribute_names, instances, value_of
from chengmai.packs.model import Pack
from chengmai.trust.policy import allow, may
from chengmai.vitals.lookback.explaining import Explanation
from chengmai.vitals.lookback.periods import Length, Versus, period_of
from chengmai.vitals.lookback.service import Review
from chengmai.vitals.thresholds.model import BandKey, Change, ChangeState
from chengmai.vitals.thresholds.overlay import is_free
from chengmai.vitals.thresholds.service import Order
from chengmai.vitals.thresholds.trying import Trial
from chengmai.vitals.words import symbol_of
from chengmai.web.cockpit.reviewing import (
    Cause,
    ChangeLine,
    Domain,
    LookedBack,
    Silent,
    Standing,
)
from chengmai.web.cockpit.views import CaseFilter, CaseRow, VitalCard, VitalDetail
from chengmai.web.desk.desk import CityDesk
from chengmai.web.desk.vitals import forecast_view

_EVERY_CASE = 500
_MANY = 5_000
_MOST_CAUSES = 6
_WITH_ENTITIES = 3
_MOST_SILENT = 20
_NAMED = 12
_LIGHTS = {"red": 0, "yellow": 1, "green": 2}
_LEVELS = {"act": 0, "watch": 1, "normal": 2, "unknown": 3}


class CityReviewing:
    """Implements `cockpit.reviewing.Reviewing`."""

    def __init__(self, city: City, desk: CityDesk) -> None:
        self._city, self._desk = city, desk
        self._packs = {pack.info.id: pack for pack in city.packs}
        self._causes: dict[tuple[str, str], tuple[object, tuple[Cause, ...]]] = {}

    async def look_back(
        self, actor: Actor, vital_id: str, length: Length, on: date, versus: Versus
    ) -> LookedBack:
        allow(actor, "vitals.read")
        detail = await self._desk.vital(actor, vital_id)
        period = period_of(length, on, self._city.zone)
        review = await self._city.look_back.review(actor.tenant, vital_id, period, versus)
        shown = await self._desk.vital_history(actor, vital_id, period.start, period.end)
        names = await self._names(actor, [review.causes.by_entity])
        return LookedBack(detail, review, shown.baseline, names, may(actor, "vitals.note"))

    async def note(self, actor: Actor, vital_id: str, words: str, at: datetime) -> str:
        return await self._city.notes.write(actor, vital_id, words, at)

    async def domain(self, actor: Actor, pack: str) -> Domain:
        allow(actor, "vitals.read")
        found = self._packs.get(pack)
        if found is None:
            raise NotFound(
                f"there is no domain {pack}", param="pack", fix="choose one from the vital signs"
            )
        cards = await self._desk.domain_cards(actor, pack)
        silent = await self._silent(actor, found)
        first = {self._sign(card.id): card for card in reversed(cards)}
        return Domain(
            pack,
            found.info.title,
            found.info.about,
            tuple(sorted(cards, key=lambda c: (_LEVELS[c.level], c.title.en, c.area))),
            await self._ranked(actor, pack, cards),
            await self._open_cases(actor, pack),
            tuple(
                feed for feed in await self._desk.feeds(actor) if feed.id.split(":")[3:4] == [pack]
            ),
            tuple(silent[:_MOST_SILENT]),
            len(silent),
            tuple(await self.standings(actor, pack)),
            tuple([await self._desk.sign(actor, card.id) for card in first.values()]),
        )

    async def standings(
        self, actor: Actor, pack: str | None = None, vital_id: str | None = None
    ) -> Sequence[Standing]:
        allow(actor, "vitals.read")
        wanted = pack if vital_id is None else vital_id.split(":")[3]
        sign = None if vital_id is None else self._sign(vital_id)
        found = await self._city.forecast_quality.standings(
            actor.tenant, pack=wanted, sign=sign, judge=wanted is not None
        )
        cards = {card.id: card for card in await self._desk.plain_cards(actor)}
        return [
            self._standing(cards[one.vital], one)
            for one in found
            if one.vital in cards and vital_id in (None, one.vital)
        ]

    async def changes(self, actor: Actor) -> Sequence[ChangeLine]:
        found = await self._city.thresholds.changes(actor)
        return [line for one in found if (line := self._line(actor, one)) is not None]

    async def change(self, actor: Actor, change_id: str) -> ChangeLine:
        found = self._line(actor, await self._city.thresholds.change(actor, change_id))
        if found is None:
            raise NotFound("the sign of this change is not installed any more")
        return found

    async def sign_of(self, actor: Actor, vital_id: str) -> tuple[VitalDetail, Mapping[str, Any]]:
        allow(actor, "vitals.read")
        detail = await self._desk.sign(actor, vital_id)
        key = f"{detail.card.pack}/{self._sign(vital_id)}"
        sign = (await self._city.thresholds.signs(actor.tenant))[key]
        free = {BandKey.of(band).name: band for band in sign.spec.bands if is_free(band)}
        return detail, free

    async def trial(self, actor: Actor, order: Order) -> Trial:
        return (await self._city.thresholds.trial(actor, order))[1]

    async def propose(self, actor: Actor, order: Order) -> str:
        return (await self._city.thresholds.propose(actor, order)).id

    async def decide(self, actor: Actor, change_id: str, verdict: str, note: str) -> None:
        thresholds = self._city.thresholds
        if verdict == "approve":
            await thresholds.approve(actor, change_id, note)
        elif verdict == "refuse":
            await thresholds.refuse(actor, change_id, note)
        else:
            await thresholds.withdraw(actor, change_id)

    async def _ranked(
        self, actor: Actor, pack: str, cards: Sequence[VitalCard]
    ) -> tuple[Cause, ...]:
        """Return what explains the signs that differ most from what is usual, over the last day.

        It is worked out again every hour of the city and when a level changes: it reads much of the past.
        """
        hour = self._city.clock.now().replace(minute=0, second=0, microsecond=0)
        stamp = (hour, tuple(sorted((card.id, card.level) for card in cards)))
        kept = self._causes.get((actor.tenant, pack))
        if kept is not None and kept[0] == stamp:
            return kept[1]
        today = self._city.clock.now().astimezone(self._city.zone).date()
        period = period_of("day", today, self._city.zone)
        chosen = sorted((card for card in cards if card.value is not None), key=_oddness)
        made = []
        for number, card in enumerate(_one_each(chosen)):
            review: Review = await self._city.look_back.review(
                actor.tenant,
                card.id,
                period,
                "week_earlier",
                entities=number < _WITH_ENTITIES,
                brief=True,
            )
            causes = review.causes
            names = await self._names(actor, [causes.by_entity])
            made.append(
                Cause(
                    card, review.likeness, causes.by_area, causes.by_hour, causes.by_entity, names
                )
            )
        self._causes[actor.tenant, pack] = (stamp, tuple(made))
        return tuple(made)

    async def _open_cases(self, actor: Actor, pack: str) -> tuple[CaseRow, ...]:
        """Return the open cases of a domain, the one that will be overdue first before the others."""
        if not may(actor, "cases.read"):
            return ()
        found = await self._desk.queue(actor, CaseFilter(limit=_EVERY_CASE))
        own = [r for r in found.rows if r.vital_id and r.vital_id.split(":")[3] == pack]
        far = datetime.max.replace(tzinfo=self._city.zone)
        return tuple(sorted(own, key=lambda row: (_LIGHTS[row.light], row.due_at or far)))

    async def _silent(self, actor: Actor, pack: Pack) -> list[Silent]:
        """Return the sources of a domain that are silent for longer than their signs may be."""
        types = {feed.entity for feed in pack.feeds}
        limit = max((spec.stale_after for spec in pack.vitals), default=timedelta(days=1))
        before = self._city.clock.now() - limit
        model = self._city.model
        found = await self._city.store.work.read(
            lambda tx: [
                item for name in types for item in model.find(tx, actor.tenant, name, limit=_MANY)
            ]
        )
        silent = []
        for item in found:
            last = _newest(item)
            if last is None or last < before:
                area = str(value_of(item, "areaServed") or "")
                silent.append(Silent(item["id"], _name(item), area, last))
        return sorted(
            silent, key=lambda one: (one.last_at or before - timedelta(days=9999), one.id)
        )

    async def _names(self, actor: Actor, found: Iterable[Explanation | None]) -> dict[str, Text]:
        keys = [
            s.key for one in found if one for s in one.shares[:_NAMED] if s.key.startswith("urn")
        ]
        model = self._city.model
        items = await self._city.store.work.read(
            lambda tx: [model.get(tx, actor.tenant, key) for key in keys]
        )
        return {item["id"]: _name(item) for item in items if item is not None}

    def _standing(self, card: VitalCard, one: Judged) -> Standing:
        spec = next(s for s in self._packs[one.pack].vitals if s.id == one.sign)
        if one.latest is None:
            return Standing(card, None, None, None)
        trained = one.latest.get("trained")
        return Standing(
            card,
            forecast_view(one.latest, spec.step),
            parse_instant(trained) if trained else None,
            one.record,
            str(one.latest.get("why_fitted", "")),
        )

    def _line(self, actor: Actor, change: Change) -> ChangeLine | None:
        pack, _, name = change.sign.partition("/")
        specs = self._packs[pack].vitals if pack in self._packs else ()
        spec = next((s for s in specs if s.id == name), None)
        if spec is None:
            return None
        waiting = change.state is ChangeState.PROPOSED
        own = change.proposed_by == actor.id
        return ChangeLine(
            change,
            spec.title,
            symbol_of(spec),
            spec.decimals,
            may_decide=waiting and not own and may(actor, "thresholds.approve"),
            may_withdraw=waiting and own,
        )

    def _sign(self, vital_id: str) -> str:
        parts = vital_id.split(":")
        return parts[4] if len(parts) > 4 else ""


def _oddness(card: VitalCard) -> tuple[int, float]:
    """Return how urgent it is to explain a sign: by level, then by how far it lies outside what is usual."""
    low, high, value = card.expected_low, card.expected_high, card.value
    outside = 0.0
    if value is not None and low is not None and high is not None:
        width = max(high - low, 1e-9 + abs(high) * 0.01)
        outside = max(low - value, value - high, 0.0) / width
    return _LEVELS[card.level], -outside


def _one_each(cards: Sequence[VitalCard]) -> list[VitalCard]:
    """Return the first cards, each sign once."""
    seen: dict[str, VitalCard] = {}
    for card in cards:
        seen.setdefault(card.title.en, card)
    return list(seen.values())[:_MOST_CAUSES]


def _newest(item: Entity) -> datetime | None:
    found = [
        parse_instant(instance["observedAt"])
        for name in attribute_names(item)
        for instance in instances(item, name)
        if "observedAt" in instance
    ]
    return max(found, default=None)


def _name(item: Entity) -> Text:
    name = value_of(item, "name")
    tail = item["id"].rpartition(":")[2]
    if isinstance(name, dict):
        zh, en = name.get("zh") or name.get("en"), name.get("en") or name.get("zh")
        return Text(zh=str(zh or tail), en=str(en or tail))
    return Text(zh=str(name or tail), en=str(name or tail))
