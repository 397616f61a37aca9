"""Changing a threshold: tried on the past, proposed by one person, decided by another, in force from a day."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.ids import new_id, urn
from chengmai.kernel.instants import format_instant, to_us
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import Entity, entity, opaque, prop, value_of
from chengmai.ngsild.model import Model
from chengmai.trust.policy import allow
from chengmai.vitals.entities import VALUE_IRI
from chengmai.vitals.model import Sign
from chengmai.vitals.ports import Past
from chengmai.vitals.problems import VitalNotFound
from chengmai.vitals.thresholds.model import BandKey, Change, ChangeState
from chengmai.vitals.thresholds.overlay import changed_sign, check_change
from chengmai.vitals.thresholds.ports import ChangeStore
from chengmai.vitals.thresholds.problems import (
    ChangeDecided,
    ChangeNotFound,
    OwnChange,
    ThresholdInvalid,
)
from chengmai.vitals.thresholds.trying import Trial, try_change

LOOKED_AT = timedelta(days=366)
"""How much of the past a trial looks at, where there is so much."""
_MANY = 100_000
_MOST_WORDS = 500


@dataclass(frozen=True)
class Order:
    """What somebody wants changed. Without `value` the threshold goes back to the pack."""

    sign: str
    threshold: str
    """Its name: `watch-above`, `act-below-red`."""
    value: float | None
    clear: float | None
    from_on: date
    reason: str


class Thresholds:
    """Keeps the changes of a city, and says how its signs stand with them."""

    def __init__(
        self,
        work: Work[Tx],
        model: Model,
        store: ChangeStore,
        past: Past,
        signs: Sequence[Sign],
        zone: ZoneInfo,
        clock: Clock,
        *,
        filed: Sequence[Change] = (),
    ) -> None:
        self._work, self._model, self._store, self._past = work, model, store, past
        self._zone, self._clock = zone, clock
        self._filed = tuple(filed)
        self._base = {sign.key: sign for sign in signs}
        self._made: dict[str, tuple[tuple[Change, ...], dict[str, Sign]]] = {}

    async def signs(self, tenant: str) -> Mapping[str, Sign]:
        """Return every sign by its key, with the thresholds that hold in this city."""
        return await self._work.read(lambda tx: self.signs_in(tx, tenant))

    def signs_in(self, tx: Tx, tenant: str) -> Mapping[str, Sign]:
        """Return what `signs` does, inside a transaction."""
        changes = self._approved(tx, tenant)
        made = self._made.get(tenant)
        if made is None or made[0] != changes:
            signs = {key: changed_sign(sign, changes) for key, sign in self._base.items()}
            made = self._made[tenant] = (changes, signs)
        return made[1]

    async def changes(self, actor: Actor) -> list[Change]:
        """Return all changes, the newest first; those of the file come last."""
        allow(actor, "vitals.read")
        found = await self._work.read(lambda tx: self._store.find(tx, actor.tenant))
        return [*reversed(found), *reversed(self._filed)]

    async def change(self, actor: Actor, change_id: str) -> Change:
        """Return one change; raises `ChangeNotFound`."""
        allow(actor, "vitals.read")
        return await self._work.read(lambda tx: self._found(tx, actor.tenant, change_id))

    async def trial(self, actor: Actor, order: Order) -> tuple[Change, Trial]:
        """Return what an order would mean on the past; nothing is kept.

        Raises `VitalNotFound`, `ThresholdInvalid` or `ThresholdFixed` for one that may not be proposed.
        """
        allow(actor, "vitals.read")
        change = self._change(order, actor)
        trial = await self._work.read(lambda tx: self._try(tx, actor.tenant, change))
        return change, trial

    async def propose(self, actor: Actor, order: Order) -> Change:
        """Keep a proposal with its trial and return it; the same one again where it is waiting already."""
        allow(actor, "thresholds.propose")
        asked = self._change(order, actor)

        def write(tx: Tx) -> Change:
            for waiting in self._store.find(tx, actor.tenant, ChangeState.PROPOSED):
                if _asks(waiting) == _asks(asked):
                    return waiting
            trial = self._try(tx, actor.tenant, asked)
            made = asked.model_copy(update={"trial": trial.to_json()})
            self._keep(tx, actor, made, "proposed a threshold")
            return made

        return await self._work.write(write)

    async def approve(self, actor: Actor, change_id: str, note: str = "") -> Change:
        """Let a change come into force on its day; raises `OwnChange` for who proposed it.

        Its day must not have come: levels of the past stay as they were.
        """
        allow(actor, "thresholds.approve")
        return await self._decide(actor, change_id, ChangeState.APPROVED, note)

    async def refuse(self, actor: Actor, change_id: str, note: str) -> Change:
        """Turn a proposal down, with the reason; raises `ThresholdInvalid` without one."""
        allow(actor, "thresholds.approve")
        if not note.strip():
            raise ThresholdInvalid(
                "a refusal needs a reason",
                code="thresholds.no_reason",
                param="note",
                fix="say in a sentence why",
            )
        return await self._decide(actor, change_id, ChangeState.REFUSED, note)

    async def withdraw(self, actor: Actor, change_id: str) -> Change:
        """Take back one's own proposal; raises `ChangeNotFound` for somebody else's."""
        allow(actor, "thresholds.propose")
        return await self._decide(actor, change_id, ChangeState.WITHDRAWN, "")

    async def _decide(self, actor: Actor, change_id: str, state: ChangeState, note: str) -> Change:
        def write(tx: Tx) -> Change:
            change = self._found(tx, actor.tenant, change_id)
            if change.state is not ChangeState.PROPOSED:
                raise ChangeDecided(
                    f"the change is {change.state.value} already",
                    param="change",
                    fix="open the page again; to undo it, propose a change from a later day",
                )
            own = change.proposed_by == actor.id
            if state is ChangeState.WITHDRAWN and not own:
                raise ChangeNotFound(change_id)
            if state is ChangeState.APPROVED:
                if own:
                    raise OwnChange
                sign = self.signs_in(tx, actor.tenant)[change.sign]
                check_change(sign.spec, change, self._day(tx.now))
            made = change.model_copy(
                update={
                    "state": state,
                    "decided_by": actor.id,
                    "decided_by_name": actor.name,
                    "decided_at": tx.now,
                    "decision": note.strip()[:_MOST_WORDS],
                    "version": change.version + 1,
                }
            )
            self._keep(tx, actor, made, f"{state.value} a threshold")
            return made

        return await self._work.write(write)

    def _change(self, order: Order, actor: Actor) -> Change:
        if order.sign not in self._base:
            raise VitalNotFound(order.sign)
        for name, number in (("value", order.value), ("clear", order.clear)):
            if number is not None and not math.isfinite(number):
                raise ThresholdInvalid(
                    f"{number} is no number",
                    code="thresholds.no_number",
                    param=name,
                    fix="give a number",
                    text=str(number),
                )
        if not order.reason.strip() or len(order.reason) > _MOST_WORDS:
            raise ThresholdInvalid(
                "a change needs a reason of at most 500 characters",
                code="thresholds.no_reason",
                param="reason",
                fix="say what speaks for it",
            )
        key = next(
            (
                BandKey.of(band)
                for band in self._base[order.sign].spec.bands
                if BandKey.of(band).name == order.threshold
            ),
            None,
        )
        if key is None:
            names = sorted({BandKey.of(b).name for b in self._base[order.sign].spec.bands})
            raise ThresholdInvalid(
                f"the sign has no threshold {order.threshold!r}",
                code="thresholds.unknown",
                threshold=order.threshold[:40],
                param="threshold",
                fix="use one of " + ", ".join(names),
            )
        now = self._clock.now()
        return Change(
            id=new_id("thr", now),
            sign=order.sign,
            key=key,
            value=order.value,
            clear=order.clear if order.value is not None else None,
            from_on=order.from_on,
            reason=order.reason.strip(),
            proposed_by=actor.id,
            proposed_by_name=actor.name,
            proposed_at=now,
        )

    def _try(self, tx: Tx, tenant: str, change: Change) -> Trial:
        before = self.signs_in(tx, tenant)[change.sign]
        check_change(before.spec, change, self._day(tx.now))
        approved = [*self._approved(tx, tenant), change]
        after = changed_sign(self._base[change.sign], approved)
        until = to_us(tx.now) + 1
        since = until - LOOKED_AT // timedelta(microseconds=1)
        pack, _, name = change.sign.partition("/")
        pasts = {
            str(value_of(found, "areaServed")): self._past.numbers(
                tx, tenant, found["id"], VALUE_IRI, since, until
            )
            for found in self._model.find(tx, tenant, "VitalSign", limit=_MANY)
            if value_of(found, "pack") == pack and value_of(found, "sign") == name
        }
        return try_change(before.spec, after.spec, change.from_on, pasts, self._zone)

    def _approved(self, tx: Tx, tenant: str) -> tuple[Change, ...]:
        found = self._store.find(tx, tenant, ChangeState.APPROVED)
        decided = sorted(found, key=lambda one: (one.decided_at or tx.now, one.id))
        return (*self._filed, *decided)

    def _found(self, tx: Tx, tenant: str, change_id: str) -> Change:
        found = self._store.get(tx, tenant, change_id)
        if found is None:
            raise ChangeNotFound(change_id)
        return found

    def _keep(self, tx: Tx, actor: Actor, change: Change, note: str) -> None:
        self._store.put(tx, actor.tenant, change)
        self._model.put(tx, change_entity(change), by=actor, note=note)

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()


def change_entity(change: Change) -> Entity:
    """Return the entity `ThresholdChange`: what everybody else sees. It is written and never read back."""
    pack, _, sign = change.sign.partition("/")
    decided = change.decided_at
    return entity(
        urn("ThresholdChange", change.id),
        "ThresholdChange",
        pack=prop(pack),
        sign=prop(sign),
        threshold=prop(change.key.name),
        changeState=prop(change.state.value),
        thresholdValue=prop(change.value) if change.value is not None else None,
        clearingValue=prop(change.clear) if change.clear is not None else None,
        effectiveFrom=prop(change.from_on.isoformat()),
        changeReason=prop(change.reason),
        proposedBy=prop(change.proposed_by),
        decidedBy=prop(change.decided_by) if decided else None,
        decidedAt=prop(format_instant(decided)) if decided else None,
        trial=opaque(change.trial) if change.trial else None,
    )


def _asks(change: Change) -> tuple[object, ...]:
    return change.sign, change.key, change.value, change.clear, change.from_on, change.proposed_by
