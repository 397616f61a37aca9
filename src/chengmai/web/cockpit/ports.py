"""What the screens need from the rooms behind them: two protocols for data, one for accounts, one for news.

Every `Desk` method takes the actor who looks and answers with views that hold only what that actor may
see; what must not be seen is `NotFound`, what must not be done is `Forbidden`. Views are in
`cockpit.views`; no screen knows an entity, a table or a transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from chengmai.kernel.actors import Actor
from chengmai.web.cockpit.assess.port import (
    AssessRoom,
    FrameworkRoom,
    IndicatorRoom,
    OutlookRoom,
    SurveyRoom,
)
from chengmai.web.cockpit.incidents.shown import IncidentDesk
from chengmai.web.cockpit.pools.views import PoolDesk
from chengmai.web.cockpit.rules.port import RuleDesk
from chengmai.web.cockpit.views import (
    AbnormalPlace,
    AuditFilter,
    AuditPage,
    BaseMap,
    CaseDetail,
    CaseFilter,
    CaseList,
    CategoryChoice,
    CityBanner,
    FeedView,
    Handover,
    LiveEvent,
    LogLine,
    Report,
    SearchHit,
    Session,
    StepOrder,
    VitalCard,
    VitalDetail,
    VitalHistory,
)


class Desk(Protocol):
    """Port: what people see and do. Raises problems of `kernel.problems`, never anything else."""

    @property
    def assess(self) -> AssessRoom:
        """What places build, how fast, and who says so."""
        ...

    @property
    def incidents(self) -> IncidentDesk:
        """Incidents, and the queue of the duty desk."""
        ...

    @property
    def rules(self) -> RuleDesk:
        """Return what the screens of rules need."""
        ...

    @property
    def pools(self) -> PoolDesk:
        """Pools of shared resources."""
        ...

    @property
    def outlook(self) -> OutlookRoom:
        """Reports of cities and groups."""
        ...

    @property
    def frameworks(self) -> FrameworkRoom:
        """Indicator frameworks and scores."""
        ...

    @property
    def surveys(self) -> SurveyRoom:
        """Surveys of citizens."""
        ...

    def passer_by(self) -> Actor:
        """Return who looks at pages that are open to all."""
        ...

    @property
    def indicators(self) -> IndicatorRoom:
        """Indicators, worked out from what the platform holds."""
        ...

    def banner(self) -> CityBanner:
        """Return the city's name, zone, present instant, and how real its data are; never waits."""
        ...

    async def base_map(self) -> BaseMap:
        """Return the city's own shapes; a map without features shows a graticule only."""
        ...

    async def board(self, actor: Actor) -> Sequence[VitalCard]:
        """Return every vital sign once, in any order, each with 24 h of recent points."""
        ...

    async def vital(self, actor: Actor, vital_id: str) -> VitalDetail:
        """Return one vital sign with its bands, forecast and definition; raises `NotFound`."""
        ...

    async def vital_history(
        self, actor: Actor, vital_id: str, start: datetime, end: datetime
    ) -> VitalHistory:
        """Return values and baseline in `start ≤ at ≤ end`, oldest first; at most about 2,000 points."""
        ...

    async def queue(self, actor: Actor, filters: CaseFilter) -> CaseList:
        """Return the cases that `filters` leave, ordered by the deadline of their present stage."""
        ...

    async def case(self, actor: Actor, case_id: str) -> CaseDetail:
        """Return one case with the steps this actor may take now; raises `NotFound`."""
        ...

    async def case_log(self, actor: Actor, case_id: str) -> Sequence[LogLine]:
        """Return what happened to the case, oldest first."""
        ...

    async def take_step(self, actor: Actor, case_id: str, order: StepOrder) -> None:
        """Take one step, once for each key; raises `Conflict` (state or version), `Invalid`, `Forbidden`."""
        ...

    async def categories(self, actor: Actor) -> Sequence[CategoryChoice]:
        """Return what may be reported, in the order to be offered."""
        ...

    async def areas(self, actor: Actor) -> Sequence[str]:
        """Return the names of the areas known so far, sorted."""
        ...

    async def report(self, actor: Actor, report: Report) -> str:
        """Take a report and return the id of its case, the same one again for the same key."""
        ...

    async def open_case(self, actor: Actor, vital_id: str, key: str) -> str:
        """Open a case about a vital sign and return its id; the live one where there is one."""
        ...

    async def feeds(self, actor: Actor) -> Sequence[FeedView]:
        """Return every feed with its health."""
        ...

    async def abnormal_places(self, actor: Actor) -> Sequence[AbnormalPlace]:
        """Return what is not normal and has a position: vital signs, and cases that are still open."""
        ...

    async def handover(self, actor: Actor, since: datetime | None = None) -> Handover:
        """Return what changed since `since`, or since the present shift began."""
        ...

    async def search(self, actor: Actor, text: str) -> Sequence[SearchHit]:
        """Return at most 50 things whose id, name or place holds `text`."""
        ...

    async def audit(self, actor: Actor, filters: AuditFilter) -> AuditPage:
        """Return audit lines, newest first; raises `Forbidden` for who may not read them."""
        ...


class Accounts(Protocol):
    """Port: who is signed in."""

    async def sign_in(self, name: str, password: str, address: str) -> Session:
        """Return a new session; raises `Unauthenticated`, or `Unavailable` after too many failures.

        `address` is the peer's address, for the rate limit and the audit line.
        """
        ...

    async def sign_out(self, token: str) -> None:
        """End the session; an unknown token is no problem."""
        ...

    async def actor_of(self, token: str) -> Actor | None:
        """Return who holds the session, or None when it is unknown, ended or expired."""
        ...


class LiveFeed(Protocol):
    """Port: news of committed changes."""

    def latest(self) -> str:
        """Return the id of the newest event: a page that reads after this call misses nothing after it."""
        ...

    def subscribe(
        self, actor: Actor, topics: frozenset[str], last_event_id: str | None
    ) -> AsyncIterator[LiveEvent]:
        """Yield events of `topics` after `last_event_id`, for ever.

        When what followed `last_event_id` is no longer known, the first event has the topic `reload`.
        The iterator ends when the server stops; closing it ends the subscription.
        """
        ...
