"""Subscriptions at sources: what should be there is compared with what is, and the difference is sent.

GS CIM 009 V1.9.1, clauses 5.8.1.4, 5.8.2.4, 5.8.5.4. Nobody who subscribes waits for a source. A source that
was silent is asked again; one that refuses is left alone until the subscription or its registration changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import structlog

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.placed import (
    ENDING,
    REFUSED,
    THERE,
    WANTED,
    Placed,
    PlacedStore,
    digest_of,
    match_of,
    reduced,
)
from chengmai.broker.distribution.ports import Answer, Failure, Kind
from chengmai.broker.distribution.sources import Forwarder
from chengmai.broker.registry.book import RegistryBook
from chengmai.broker.registry.model import Registration, compile_registration
from chengmai.broker.subscription import Subscription
from chengmai.broker.subscriptions import SubscriptionBook
from chengmai.kernel.actors import system
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import to_us
from chengmai.kernel.problems import Problem
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.contexts import Context, ContextCompiler
from chengmai.trust.ports import Audit

RETURN_PATH = "/ngsi-ld/ex/remote-notify/"
"""Where notifications of sources come back, before the secret."""
MOST_OF_TENANT = 1000
"""Subscriptions of one tenant at sources."""
_ROUND_S = 30.0
_SETTLE_S = 0.1
_AT_A_TIME = 20
_MOST_ATTEMPTS = 10
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Wanted:
    subscription: Subscription
    registration: Registration
    digest: str
    via: list[str]

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.registration.tenant, self.subscription.id, self.registration.id, self.digest


class Placing:
    """Keeps subscriptions at sources as they are here; `load` once, then `run`."""

    def __init__(
        self,
        work: Work[Tx],
        store: PlacedStore,
        book: SubscriptionBook,
        registry: RegistryBook,
        forwarder: Forwarder,
        contexts: ContextCompiler,
        audit: Audit,
        clock: Clock,
        return_url: str | None,
        secret: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        self._work = work
        self._store = store
        self._book = book
        self._registry = registry
        self._forwarder = forwarder
        self._contexts = contexts
        self._audit = audit
        self._clock = clock
        self._return_url = return_url
        self._secret = secret
        self._placed: dict[str, Placed] = {}
        self._stirred = asyncio.Event()

    async def load(self) -> None:
        """Take up what an earlier run left, and hear of every change from now on."""
        self._placed = {one.secret: one for one in await self._work.read(self._store.all)}
        self._book.on_change(lambda _key: self._stirred.set())
        self._registry.on_change(self._stirred.set)
        self._stirred.set()

    async def run(self) -> None:
        """Send differences whenever something changed, and try again what failed."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stirred.wait(), _ROUND_S)
            # Changes come in bursts, and one look at all subscriptions does for many.
            await asyncio.sleep(_SETTLE_S)
            self._stirred.clear()
            try:
                await self.round()
            except Problem as problem:
                _log.warning("subscriptions.placing", why=problem.detail)
            except Exception:
                # One round that fails is told and the next one is tried.
                _log.exception("subscriptions.placing")

    def by_secret(self, secret: str) -> Placed | None:
        """Return what comes back under a secret."""
        found = self._placed.get(secret)
        return None if found is None or found.state == ENDING else found

    async def round(self) -> None:
        """Compare once, and send the difference; what is new first, so that nothing is missed meanwhile."""
        wanted = {one.key: one for one in self._wanted()}
        known = {one.key: one for one in self._placed.values() if one.state != ENDING}
        for key, one in wanted.items():
            if key not in known:
                await self._keep(self._new(one))
        new = [one for one in self._placed.values() if one.state == WANTED and one.key in wanted]
        await self._each(new, lambda one: self._create(one, wanted[one.key]))
        for over in list(self._placed.values()):
            if over.key not in wanted and over.state != ENDING:
                await self._keep(replace(over, state=ENDING, attempts=0))
        await self._each([o for o in self._placed.values() if o.state == ENDING], self._end)

    def _wanted(self) -> Iterator[_Wanted]:
        if self._return_url is None:
            return
        now_us = to_us(self._clock.now())
        counts: dict[str, int] = {}
        for one in self._book.every():
            tenant, document = one.key[0], one.document
            if not self._registry.has(tenant):
                continue
            if document.get("localOnly") or not one.is_due(now_us):
                continue
            via = list(document.get("via", ()))
            for registration in self._registry.of(tenant):
                if not registration.is_live(now_us) or registration.alias in via:
                    continue
                if not (matches := match_of(one, registration)):
                    continue
                counts[tenant] = counts.get(tenant, 0) + 1
                if counts[tenant] > MOST_OF_TENANT:
                    _log.warning("subscriptions.too_many", tenant=tenant)
                    break
                try:
                    own = self._own(one)
                    body = reduced(one, matches, own, own)
                except Problem as problem:
                    _log.warning("subscription.not_forwarded", id=one.id, why=problem.detail)
                    continue
                yield _Wanted(one, registration, digest_of(registration, body), via)

    def _own(self, one: Subscription) -> Context:
        return self._contexts.compile(one.document.get("@context") or one.context_source)

    def _new(self, one: _Wanted) -> Placed:
        return Placed(
            tenant=one.registration.tenant,
            id=f"urn:ngsi-ld:Subscription:distsub-{secrets.token_hex(16)}",
            secret=self._secret(),
            subscription=one.subscription.id,
            registration=one.registration.document,
            digest=one.digest,
            via=one.via,
        )

    async def _create(self, one: Placed, wanted: _Wanted) -> None:
        subscription, registration = wanted.subscription, wanted.registration
        own = self._own(subscription)

        def body(context: Context) -> dict[str, Any]:
            matches = match_of(subscription, registration)
            uri = f"{self._return_url}{RETURN_PATH}{one.secret}"
            notification = {
                "format": "normalized",
                "sysAttrs": True,
                "endpoint": {"uri": uri, "accept": "application/json"},
            }
            told = reduced(subscription, matches, own, context)
            return {"id": one.id, **told, "notification": notification}

        made = self._forwarder.forward(
            self._asked(one, own), registration, "POST", "/subscriptions", body=body
        )
        (answer,) = await self._forwarder.send([made])
        state = _state_after(answer)
        await self._keep(replace(one, state=state, attempts=one.attempts + 1), "place", answer)

    async def _end(self, one: Placed) -> None:
        registration = compile_registration(one.tenant, one.registration, self._contexts)
        path = f"/subscriptions/{quote(one.id, safe=':')}"
        asked = self._asked(one, self._contexts.core)
        (answer,) = await self._forwarder.send(
            [self._forwarder.forward(asked, registration, "DELETE", path)]
        )
        ended = replace(one, attempts=one.attempts + 1)
        is_over = _state_after(answer) != WANTED or ended.attempts >= _MOST_ATTEMPTS
        await self._keep(ended, "end", answer, forget=is_over)

    @staticmethod
    def _asked(one: Placed, context: Context) -> Asked:
        return Asked(system("subscriptions", one.tenant), context, via=tuple(one.via))

    async def _keep(
        self, one: Placed, action: str = "", answer: Answer | None = None, *, forget: bool = False
    ) -> None:
        said = answer.detail if isinstance(answer, Failure) else str(getattr(answer, "status", ""))

        def keep(tx: Tx) -> None:
            if forget:
                self._store.remove(tx, one)
            else:
                self._store.put(tx, one)
            # Each silence would make a line: the first one says it.
            if (action and one.attempts == 1) or forget:
                detail = {"action": action, "said": said, "source": one.registration["id"]}
                actor = system("subscriptions", one.tenant)
                self._audit.line(tx, actor, "subscription.forward", one.subscription, detail)

        await self._work.write(keep)
        if forget:
            self._placed.pop(one.secret, None)
        else:
            self._placed[one.secret] = one

    @staticmethod
    async def _each(placed: list[Placed], do: Callable[[Placed], Any]) -> None:
        async def one_of(one: Placed) -> None:
            try:
                await do(one)
            except Problem as problem:
                _log.warning("subscription.not_forwarded", id=one.subscription, why=problem.detail)

        for at in range(0, len(placed), _AT_A_TIME):
            await asyncio.gather(*map(one_of, placed[at : at + _AT_A_TIME]))


def _state_after(answer: Answer) -> str:
    """Return what an answer makes of a subscription at a source."""
    if isinstance(answer, Failure):
        return REFUSED if answer.kind in (Kind.LOOP, Kind.DENIED) else WANTED
    if answer.is_success:
        return THERE
    return REFUSED if 400 <= answer.status < 500 and answer.status not in (408, 429) else WANTED
