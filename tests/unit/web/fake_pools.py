"""Pools of the invented city: one with a suggestion that waits, one of which nothing is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from chengmai.kernel.actors import Actor
from chengmai.kernel.problems import Conflict, NotFound
from chengmai.kernel.texts import Text
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
from tests.unit.web.fake_signs import HOUR, NOW

FULL = PoolSums(950.0, 12.0, 1000.0, 0.95, 2400.0, 310.5, 166, 168)
NOTHING = PoolSums(0.0, 0.0, 0.0, None, 0.0, 0.0, 0, 168)
OPEN = "urn:ngsi-ld:ReallocationSuggestion:transport:parking:20261123T0900Z"


def text(words: str) -> Text:
    return Text(zh=f"{words}（中）", en=words)


def ahead(basis: str = "forecast") -> Ahead:
    points = tuple(
        ForecastPoint(NOW + n * HOUR, 900.0 + n, 880.0, 980.0, 905.0) for n in range(1, 25)
    )
    return Ahead(basis, text("why so"), points, "ridge", 12.0, 15.0)


def a_move(hostile: str = "", case: str | None = None) -> MoveView:
    return MoveView(
        n=1,
        source=text(hostile or "East"),
        target=text("West"),
        units=60,
        suggested=110,
        most=110,
        lot=10,
        saves=412.25,
        why=text(hostile or "East is full"),
        binds=text("bound by East"),
        case_id=case,
        done_at=None,
    )


def an_effect() -> EffectView:
    said = text("618 less")
    return EffectView("less", said, 0.0, 618.0, 600.0, 630.0, "same_hours", 5, NOW)


def suggestion(
    state: str, *, hostile: str = "", effect: EffectView | None = None
) -> SuggestionView:
    return SuggestionView(
        id=OPEN,
        state=state,
        made_at=NOW,
        start=NOW + HOUR,
        end=NOW + 7 * HOUR,
        decide_by=NOW + 4 * HOUR,
        summary=text("some shortage ahead"),
        before=618.0,
        after=12.0,
        cost=33.0,
        moves=(a_move(hostile, "urn:ngsi-ld:CityCase:1" if effect else None),),
        is_best=True,
        solver="HiGHS",
        decided_by="" if state == "proposed" else hostile or "Li",
        decided_at=None if state == "proposed" else NOW - timedelta(days=1),
        reason=hostile or ("half closed" if state == "changed" else ""),
        effect=effect,
        may_decide=state == "proposed",
    )


@dataclass
class FakePools:
    """Implements `cockpit.pools.views.PoolDesk`; `orders` keeps what was decided."""

    hostile: str = ""
    empty: bool = False
    first: list[Text] = field(default_factory=list)
    orders: list[DecisionOrder] = field(default_factory=list)

    def card(self, pool: str) -> PoolCard:
        known = pool == "parking"
        return PoolCard(
            pack="transport",
            pack_title=text("Transport"),
            pool=pool,
            title=text(self.hostile or "Parking"),
            unit=text("spaces"),
            at=NOW,
            sums=FULL if known else NOTHING,
            why="open" if known else "unknown",
            sentence=text(self.hostile or "short ahead"),
            open_suggestion=known,
        )

    async def awaited(self, actor: Actor) -> Sequence[Text]:
        return self.first

    async def pools(self, actor: Actor) -> Sequence[PoolCard]:
        return [] if self.empty else [self.card("bikes"), self.card("parking")]

    async def pool(self, actor: Actor, pack: str, name: str) -> PoolDetail:
        if (pack, name) not in (("transport", "parking"), ("transport", "bikes")):
            raise NotFound(f"there is no pool {name}")
        blank = PoolDetail(
            card=self.card(name),
            about=text("where cars stand"),
            source=text("a city's choice"),
            trust="C",
            reserve=0.15,
            horizon_h=6.0,
            member_type="ParkingObserved",
            member_title=text("car parks"),
            members=(),
            areas=(),
            demand=(),
            ahead=None,
            week={},
            queries=(("used", "SELECT 1"),),
            suggestions=(),
        )
        if name == "bikes":
            return blank
        return replace(
            blank,
            members=(
                MemberView("urn:a", text(self.hostile or "East"), "East", FULL, ahead()),
                MemberView("urn:b", text("West"), "West", NOTHING, None),
            ),
            areas=(("East", FULL), ("West", NOTHING)),
            demand=tuple(Point(NOW - n * HOUR, 900.0 + n % 24) for n in range(48, 0, -1)),
            ahead=ahead("baseline"),
            week={(day, hour): hour / 23 for day in range(6) for hour in range(24)},
            suggestions=(
                suggestion("proposed", hostile=self.hostile),
                suggestion("changed", hostile=self.hostile, effect=an_effect()),
                suggestion("accepted"),
                suggestion("refused"),
                suggestion("lapsed"),
            ),
        )

    async def decide(self, actor: Actor, suggestion_id: str, order: DecisionOrder) -> None:
        if suggestion_id != OPEN:
            raise NotFound("there is no such suggestion")
        if order.reason == "too late":
            raise Conflict("it is refused by Li", code="pool.suggestion.decided")
        self.orders.append(order)
