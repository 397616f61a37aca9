"""Pools, as the screens see them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import from_us
from chengmai.kernel.problems import Invalid
from chengmai.kernel.texts import Text
from chengmai.packs.model import Pack
from chengmai.pools.model import Effect, Look, Member, Move, Outlook, Pool, State, Suggestion
from chengmai.pools.rules import sum_of, total_of, week_of
from chengmai.pools.service import PoolService
from chengmai.pools.sql import MEASURES, query
from chengmai.trust.policy import may
from chengmai.web.cockpit.pools.views import (
    Ahead,
    DecisionOrder,
    EffectView,
    MemberView,
    MoveView,
    PoolCard,
    PoolDetail,
    PoolSums,
    SuggestionView,
)
from chengmai.web.cockpit.views import ForecastPoint, Point

_WEEK_US = 7 * 86_400_000_000
_PAST_STEPS = 800
_FIRST_LOOK_S = 2.0
"""How long the list waits for pools that were not looked at since the start."""


class PoolScreens:
    """Implements `cockpit.pools.views.PoolDesk`."""

    def __init__(self, pools: PoolService, packs: Sequence[Pack], zone: ZoneInfo) -> None:
        self._pools, self._zone = pools, zone
        self._titles = {pack.info.id: pack.info.title for pack in packs}
        self._looking: dict[tuple[str, str], asyncio.Task[Look]] = {}

    async def pools(self, actor: Actor) -> list[PoolCard]:
        looking = {pool.key: self._begun(actor, pool) for pool in self._pools.pools}
        if looking:
            await asyncio.wait(looking.values(), timeout=_FIRST_LOOK_S)
        cards = []
        for pool in self._pools.pools:
            if not (task := looking[pool.key]).done():
                continue
            self._looking.pop((actor.tenant, pool.key), None)
            made = await self._pools.suggestions(actor, pool.pack, pool.spec.id, limit=1)
            cards.append(self._card(task.result(), made))
        return cards

    async def awaited(self, actor: Actor) -> list[Text]:
        keys = {pool.key: pool.spec.title for pool in self._pools.pools}
        return [keys[key] for tenant, key in self._looking if tenant == actor.tenant]

    def _begun(self, actor: Actor, pool: Pool) -> asyncio.Task[Look]:
        """Return the look at a pool: the first one after a start reads weeks, and goes on without the page."""
        key = (actor.tenant, pool.key)
        if (task := self._looking.get(key)) is None:
            seen = self._pools.seen(actor, pool.pack, pool.spec.id)
            task = self._looking[key] = asyncio.create_task(seen)
        return task

    async def pool(self, actor: Actor, pack: str, name: str) -> PoolDetail:
        look = await self._pools.seen(actor, pack, name)
        made = await self._pools.suggestions(actor, pack, name)
        spec = look.pool.spec
        demand = sorted(total_of([m for m in look.members if m.hours]).items())[-_PAST_STEPS:]
        decides = may(actor, "pools.decide")
        return PoolDetail(
            card=self._card(look, made),
            about=spec.about,
            source=spec.source,
            trust=spec.trust,
            reserve=spec.reserve,
            horizon_h=spec.horizon.total_seconds() / 3600,
            member_type=spec.entity,
            member_title=look.pool.entity.title,
            members=tuple(self._member(look, one) for one in look.members),
            areas=_areas(look),
            demand=tuple(Point(from_us(tick), value) for tick, value in demand),
            ahead=_ahead(look.outlooks.get("")),
            week=week_of(look.members, self._zone),
            queries=tuple((measure, query(look.pool, measure, "area")) for measure in MEASURES),
            suggestions=tuple(_suggestion(one, decides=decides) for one in made),
        )

    async def decide(self, actor: Actor, suggestion_id: str, order: DecisionOrder) -> None:
        if order.decision not in ("accept", "refuse"):
            raise Invalid(
                f"there is no decision {order.decision!r}", param="decision", fix="accept or refuse"
            )
        await self._pools.decide(
            actor,
            suggestion_id,
            "accept" if order.decision == "accept" else "refuse",
            reason=order.reason,
            amounts=order.amounts,
            key=order.key,
        )

    def _card(self, look: Look, made: Sequence[Suggestion]) -> PoolCard:
        pool = look.pool
        waits = any(one.state is State.PROPOSED for one in made)
        return PoolCard(
            pack=pool.pack,
            pack_title=self._titles[pool.pack],
            pool=pool.spec.id,
            title=pool.spec.title,
            unit=pool.spec.unit,
            at=from_us(look.at_us),
            sums=_sums(look, look.members),
            why="open" if waits else look.why,
            sentence=look.sentence,
            open_suggestion=waits,
        )

    @staticmethod
    def _member(look: Look, member: Member) -> MemberView:
        ahead = _ahead(look.outlooks.get(member.id))
        return MemberView(member.id, member.name, member.area, _sums(look, [member]), ahead)


def _areas(look: Look) -> tuple[tuple[str, PoolSums], ...]:
    """Return the use of each area that holds members, in order of their names."""
    areas: dict[str, list[Member]] = {}
    for member in look.members:
        areas.setdefault(member.area, []).append(member)
    return tuple((area, _sums(look, some)) for area, some in sorted(areas.items()))


def _sums(look: Look, members: Sequence[Member]) -> PoolSums:
    at, step = look.at_us, look.pool.step_us
    last, week = (sum_of(members, at - span, at, step) for span in (step, _WEEK_US))
    return PoolSums(
        used=last.used,
        waiting=last.waiting,
        capacity=last.capacity,
        utilisation=last.utilisation,
        idle_week=week.idle,
        short_week=week.shortage,
        read=week.steps,
        of=week.of,
    )


def _ahead(one: Outlook | None) -> Ahead | None:
    if one is None:
        return None
    test = one.backtest or {}
    return Ahead(
        basis=one.basis,
        because=one.because,
        points=tuple(
            ForecastPoint(from_us(s.at_us), s.median, s.low, s.high, s.naive) for s in one.steps
        ),
        model=one.model,
        mae=test.get("mae"),
        naive_mae=test.get("naive_mae"),
    )


def _suggestion(one: Suggestion, *, decides: bool) -> SuggestionView:
    return SuggestionView(
        id=one.id,
        state=one.state.value,
        made_at=one.made_at,
        start=one.start,
        end=one.end,
        decide_by=one.decide_by,
        summary=one.summary,
        before=one.before,
        after=one.after,
        cost=one.cost,
        moves=tuple(_move(one, move) for move in one.moves),
        is_best=one.is_best,
        solver=one.solver,
        decided_by=one.decided_name or one.decided_by,
        decided_at=one.decided_at,
        reason=one.reason,
        effect=_effect(one.effect) if one.effect else None,
        may_decide=decides and one.state is State.PROPOSED,
    )


def _move(made: Suggestion, move: Move) -> MoveView:
    return MoveView(
        n=move.n,
        source=move.source_name,
        target=move.target_name,
        units=move.units,
        suggested=move.suggested,
        most=move.most,
        lot=made.limits.lot,
        saves=move.saves,
        why=move.why,
        binds=move.binds,
        case_id=move.case,
        done_at=move.done_at,
    )


def _effect(effect: Effect) -> EffectView:
    first = effect.against[0] if effect.against else None
    return EffectView(
        verdict=effect.verdict,
        sentence=effect.sentence,
        actual=effect.actual,
        saved=effect.saved,
        low=effect.low,
        high=effect.high,
        way=first.way if first else "",
        weeks=first.weeks if first else 0,
        measured_at=effect.measured_at,
    )
