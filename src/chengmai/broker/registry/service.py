"""Use cases on context source registrations (GS CIM 009 V1.9.1, clauses 5.9 and 5.10)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import structlog

from chengmai.broker.ports import Candidates, EntityStore
from chengmai.broker.registry.book import RegistryBook
from chengmai.broker.registry.conflicts import check_against_entities, check_against_others
from chengmai.broker.registry.discovery import Discovery, discovered
from chengmai.broker.registry.documents import read_document, read_fragment
from chengmai.broker.registry.model import Registration, compile_registration, shown_defaults
from chengmai.broker.registry.ports import RegistrationStore, Tally
from chengmai.broker.registry.problems import (
    RegistrationExists,
    RegistrationInvalid,
    RegistrationNotFound,
)
from chengmai.kernel.actors import Actor, system
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import format_instant, format_us, to_us
from chengmai.kernel.problems import Problem
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.contexts import Context, ContextCompiler
from chengmai.ngsild.entity import Entity
from chengmai.trust.ports import Audit

_log = structlog.get_logger(__name__)
Watch = Callable[[Tx, str, Registration | None, Registration | None], None]
"""Told (transaction, tenant, registration before, registration after) of every change, inside of it."""


def _nobody(
    _tx: Tx, _tenant: str, _before: Registration | None, _after: Registration | None
) -> None:
    return


class Registry:
    """Registers sources and tells of them; the book in memory follows each commit."""

    def __init__(
        self,
        work: Work[Tx],
        store: RegistrationStore,
        book: RegistryBook,
        entities: EntityStore,
        audit: Audit,
        contexts: ContextCompiler,
        clock: Clock,
        watch: Watch = _nobody,
    ) -> None:
        self._work = work
        self._store = store
        self._entities = entities
        self._audit = audit
        self._contexts = contexts
        self._clock = clock
        self._watch = watch
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._unsaved: set[tuple[str, str]] = set()
        self.book = book

    async def load(self) -> int:
        """Fill the book from the store; return how many registrations there are.

        One that cannot be read any more is told in the log and left out.
        """
        rows = await self._work.read(self._store.all)
        for tenant, document in rows:
            try:
                self.book.add(compile_registration(tenant, document, self._contexts))
            except Problem as problem:
                _log.warning("registration.left_out", id=document["id"], why=problem.detail)
        for tally in await self._work.read(self._store.tallies):
            self._tallies[tally.tenant, tally.id] = tally
        return len(rows)

    async def create(self, actor: Actor, body: Any, context: Context) -> str:
        """Register a source (clause 5.9.2) and return the id; `body` has its names in `context`.

        Raises `RegistrationInvalid`, `RegistrationExists` or `RegistrationConflict`.
        """
        read = read_document(body, context)
        draft = compile_registration(actor.tenant, read, self._contexts)
        await self._check_entities(draft)

        def create(tx: Tx) -> None:
            old = self._store.get(tx, actor.tenant, draft.id)
            if old is not None and not self._ended(tx, actor.tenant, old):
                raise RegistrationExists(draft.id)
            now = format_instant(tx.now)
            document = {**read, "createdAt": now, "modifiedAt": now}
            self._put(tx, actor, None, document, "registration.create")

        await self._work.write(create)
        return draft.id

    async def change(self, actor: Actor, registration_id: str, body: Any, context: Context) -> None:
        """Change members of a registration (clause 5.9.3); a null removes one."""
        fragment = read_fragment(body, context)

        def merged(tx: Tx) -> tuple[dict[str, Any], dict[str, Any]]:
            before = self._live(tx, actor.tenant, registration_id)
            after = {k: v for k, v in {**before, **fragment}.items() if v is not None}
            return before, {**after, "modifiedAt": format_instant(tx.now)}

        _, draft = await self._work.read(merged)
        compiled = compile_registration(actor.tenant, draft, self._contexts)
        if fragment.keys() & {"information", "mode"}:
            await self._check_entities(compiled)

        def change(tx: Tx) -> None:
            before, after = merged(tx)
            self._put(tx, actor, before, after, "registration.update")

        await self._work.write(change)

    def get(self, actor: Actor, registration_id: str) -> dict[str, Any]:
        """Return a registration as it is shown (clause 5.10.1); raises `RegistrationNotFound`."""
        found = self.book.get(actor.tenant, registration_id)
        if found is None or not found.is_live(to_us(self._clock.now())):
            raise RegistrationNotFound(registration_id)
        return self.shown(found)

    def discover(self, actor: Actor, discovery: Discovery) -> list[Registration]:
        """Return the registrations that a discovery asks for (clause 5.10.2), ordered by id."""
        every = self.book.of(actor.tenant)
        now_us = to_us(self._clock.now())
        found = discovered(discovery, every, self._contexts.core, now_us=now_us)
        return [match.registration for match in found]

    async def delete(self, actor: Actor, registration_id: str) -> None:
        """Delete a registration (clause 5.9.4); raises `RegistrationNotFound`."""

        def delete(tx: Tx) -> None:
            before = self._live(tx, actor.tenant, registration_id)
            self._store.remove(tx, actor.tenant, registration_id)
            self._audit.line(tx, actor, "registration.delete", registration_id, {})
            self._announce(tx, actor.tenant, before, None)
            tx.after_commit(lambda: self._dropped(actor.tenant, registration_id))

        await self._work.write(delete)

    def shown(self, registration: Registration) -> dict[str, Any]:
        """Return a registration's document with its defaults and what became of requests to the source."""
        made = {**shown_defaults(registration), **registration.document}
        tally = self._tallies.get((registration.tenant, registration.id))
        return made if tally is None else {**made, **_told(tally)}

    def note_forward(
        self, registration: Registration, *, at: datetime, failure: str | None
    ) -> None:
        """Count a request that was forwarded to a source; in memory, until `save_tallies`."""
        key = registration.tenant, registration.id
        if self.book.get(*key) is None:
            return
        tally = self._tallies.setdefault(key, Tally(*key))
        tally.times_sent += 1
        if failure is None:
            tally.last_success_us = to_us(at)
        else:
            tally.times_failed += 1
            tally.last_failure_us = to_us(at)
        self._unsaved.add(key)

    async def save_tallies(self) -> None:
        """Write the counters that moved since they were last written."""
        moved, self._unsaved = self._unsaved, set()

        def save(tx: Tx) -> None:
            for key in sorted(moved):
                if key in self._tallies and self._store.get(tx, *key) is not None:
                    self._store.put_tally(tx, self._tallies[key])

        if moved:
            await self._work.write(save)

    async def end_expired(self) -> None:
        """Delete the registrations that have expired, and tell of each (clauses 5.9.2 and 5.11.7).

        One that expired while the city stood still is among them: that it is there says that nobody was told.
        """
        now_us = to_us(self._clock.now())

        def end(tx: Tx) -> None:
            for one in gone:
                document = self._store.get(tx, one.tenant, one.id)
                if document is not None:
                    self._ended(tx, one.tenant, document)

        gone = [one for one in self.book.every() if not one.is_live(now_us)]
        if gone:
            await self._work.write(end)

    def _live(self, tx: Tx, tenant: str, registration_id: str) -> dict[str, Any]:
        """Return the document of a registration; raises `RegistrationNotFound`, also when it has expired."""
        found = self._store.get(tx, tenant, registration_id)
        if found is None or not compile_registration(tenant, found, self._contexts).is_live(
            to_us(tx.now)
        ):
            raise RegistrationNotFound(registration_id)
        return found

    def _ended(self, tx: Tx, tenant: str, document: dict[str, Any]) -> bool:
        """Delete a registration if it has expired, and tell of it; return whether it had."""
        made = compile_registration(tenant, document, self._contexts)
        if made.is_live(to_us(tx.now)):
            return False
        self._store.remove(tx, tenant, made.id)
        self._audit.line(tx, system("expiry", tenant), "registration.expire", made.id, {})
        self._watch(tx, tenant, made, None)
        tx.after_commit(lambda: self._dropped(tenant, made.id))
        return True

    async def _check_entities(self, draft: Registration) -> None:
        # Before the write: looking through the entities of a type would keep all writers waiting.
        if draft.mode.is_proxied:
            await self._work.read(
                lambda tx: check_against_entities(draft, self._entities_of(tx, draft))
            )

    def _entities_of(self, tx: Tx, registration: Registration) -> Iterator[Entity]:
        for part in registration.information:
            infos = part.entities
            ids = [info.id for info in infos if info.id is not None]
            types = {name for info in infos for name in info.types}
            if infos and len(ids) == len(infos):
                which = Candidates(ids=ids)
            else:
                typed = bool(infos) and all(info.types for info in infos)
                which = Candidates(types=sorted(types) if typed else None)
            yield from self._entities.candidates(tx, registration.tenant, which)

    def _put(
        self,
        tx: Tx,
        actor: Actor,
        before: dict[str, Any] | None,
        document: dict[str, Any],
        action: str,
    ) -> None:
        made = compile_registration(actor.tenant, document, self._contexts)
        now_us = to_us(tx.now)
        changed = before is None or before.get("expiresAt") != document.get("expiresAt")
        if changed and not made.is_live(now_us):
            raise RegistrationInvalid(
                "it lies in the past", param="expiresAt", fix="give a later instant"
            )
        if made.mode.is_proxied:
            # The store, not the book: another change may stand in this very commit.
            check_against_others(made, self._others(tx, actor.tenant), now_us=now_us)
        self._store.put(tx, actor.tenant, made.document)
        self._audit.line(
            tx, actor, action, made.id, {"endpoint": made.endpoint, "mode": made.mode.value}
        )
        self._announce(tx, actor.tenant, before, made)
        tx.after_commit(lambda: self.book.add(made))

    def _announce(
        self, tx: Tx, tenant: str, before: dict[str, Any] | None, after: Registration | None
    ) -> None:
        """Tell of a change; what has expired counts as not there."""
        now_us = to_us(tx.now)
        old = None if before is None else compile_registration(tenant, before, self._contexts)
        self._watch(
            tx,
            tenant,
            old if old is not None and old.is_live(now_us) else None,
            after if after is not None and after.is_live(now_us) else None,
        )

    def _others(self, tx: Tx, tenant: str) -> list[Registration]:
        return [
            compile_registration(tenant, document, self._contexts)
            for holder, document in self._store.all(tx)
            if holder == tenant
        ]

    def _dropped(self, tenant: str, registration_id: str) -> None:
        self.book.drop(tenant, registration_id)
        self._tallies.pop((tenant, registration_id), None)


def _told(tally: Tally) -> dict[str, Any]:
    success, failure = tally.last_success_us, tally.last_failure_us
    failed = failure is not None and (success is None or failure > success)
    told: dict[str, Any] = {
        "status": "failed" if failed else "ok",
        "timesSent": tally.times_sent,
        "timesFailed": tally.times_failed,
    }
    if success is not None:
        told["lastSuccess"] = format_us(success)
    if failure is not None:
        told["lastFailure"] = format_us(failure)
    return told
