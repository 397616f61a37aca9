"""Use cases on snapshots (GS CIM 009 V1.9.1, clauses 5.5.15 and 5.16)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.snapshots.filling import Budget, Filling
from chengmai.broker.snapshots.model import (
    DETAILS,
    MOST_SNAPSHOTS,
    QUERIES,
    Plans,
    Snapshot,
    SnapshotStore,
    lifetime_of,
    status_of,
    with_defaults,
)
from chengmai.broker.snapshots.problems import (
    SnapshotExists,
    SnapshotInvalid,
    SnapshotNotFound,
    SnapshotPreparing,
)
from chengmai.broker.snapshots.telling import Telling, receiver_of
from chengmai.broker.spaces import Spaces
from chengmai.kernel.actors import Actor, system
from chengmai.kernel.clock import Clock
from chengmai.kernel.ids import urn
from chengmai.kernel.instants import format_instant, parse_instant, to_us
from chengmai.kernel.problems import Problem, TooLarge
from chengmai.kernel.work import BriefWork, Tx
from chengmai.ngsild import q
from chengmai.ngsild.contexts import Context
from chengmai.trust.policy import may

AT_A_TIME = 2
"""How many snapshots are filled at a time; others wait."""
_log = structlog.get_logger(__name__)
Explain = Callable[[Problem], dict[str, Any]]
"""A problem as it is shown in a document."""


class Snapshots:
    """Takes snapshots and lets them be asked; `load` once at the start, `round` again and again."""

    def __init__(
        self,
        work: BriefWork[Tx],
        store: SnapshotStore,
        filling: Filling,
        telling: Telling,
        spaces: Spaces,
        end_within: Callable[[Tx, str], None],
        clock: Clock,
    ) -> None:
        self._work = work
        self._telling = telling
        self._store = store
        self._spaces = spaces
        self._end_within = end_within
        self._clock = clock
        self._filling = filling
        self._turns = asyncio.Semaphore(AT_A_TIME)
        self._tasks: set[asyncio.Task[None]] = set()
        self._used: dict[tuple[str, str], str] = {}

    async def load(self) -> None:
        """Say of snapshots that were being filled when the city stopped that they failed, and begin to tell."""

        def load(tx: Tx) -> None:
            for one in self._store.every(tx):
                if not one.is_ready:
                    self._become(tx, one, {"snapshotStatus": "failure"})

        await self._work.write(load)
        await self._telling.start()

    async def stop(self) -> None:
        """Stop filling; what is not complete will be told as failed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._telling.stop()

    async def create(
        self, asked: Asked, members: Mapping[str, Any], plans: Plans, explain: Explain
    ) -> str:
        """Begin a snapshot of what queries find and return its id (clause 5.16.1); it fills in the background.

        Raises `SnapshotExists`, or `TooLarge` when the tenant has too many.
        """
        made = await self._begin(asked.actor, members, "snapshot.create")
        self._spawn(made, lambda: self._fill(made, asked, plans, explain))
        return made.id

    async def clone(self, actor: Actor, snapshot_id: str, members: Mapping[str, Any]) -> str:
        """Begin a copy of a snapshot and return its id (clause 5.16.2); raises as `create` does, and
        `SnapshotNotFound` or `SnapshotPreparing`.
        """
        source = await self._ready(actor, snapshot_id)
        kept = {
            name: value
            for name, value in source.document.items()
            if name in (*QUERIES, "snapshotPriority", "snapshotLifetime")
        }
        # Its space is neither emptied nor written to while it is read.
        self._spaces.hold_still(source.space)
        try:
            made = await self._begin(actor, {**kept, **members}, "snapshot.clone")
        except BaseException:
            self._spaces.let_go(source.space)
            raise

        async def copy() -> dict[str, Any]:
            try:
                await self._filling.clone(source, made)
            finally:
                self._spaces.let_go(source.space)
            names = ("snapshotStatus", *DETAILS)
            return {name: source.document[name] for name in names if name in source.document}

        self._spawn(made, copy)
        return made.id

    async def get(self, actor: Actor, snapshot_id: str) -> dict[str, Any]:
        """Return a snapshot with its status (clause 5.16.3); raises `SnapshotNotFound`."""
        found = await self._work.glance(lambda tx: self._alive(tx, actor, snapshot_id))
        used = self._used.get((actor.tenant, snapshot_id))
        shown = found.shown() | ({} if used is None else {"lastUsedAt": used})
        if not may(actor, "snapshots.manage"):
            # It may hold what opens the receiver's door.
            shown.pop("receiverInfo", None)
        return shown

    async def within(self, actor: Actor, snapshot_id: str) -> Actor:
        """Return the actor as one who sees nothing but a snapshot (clauses 5.5.15 and 6.3.22).

        Raises `SnapshotNotFound`, or `SnapshotPreparing` while it is not complete.
        """
        found = await self._ready(actor, snapshot_id)
        self._used[actor.tenant, snapshot_id] = format_instant(self._clock.now())
        return replace(actor, tenant=found.space)

    async def change(
        self, actor: Actor, snapshot_id: str, members: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Change priority or lifetime, from now on, and return the snapshot (clause 5.16.4)."""
        if "id" in members:
            raise SnapshotInvalid("id: it cannot be changed", param="id", fix="leave it out")

        def change(tx: Tx) -> Snapshot:
            found = self._alive(tx, actor, snapshot_id)
            self._telling.check_room(tx, actor.tenant, members)
            made = _changed(found, tx, members)
            receiver_of(made.document)
            if "snapshotLifetime" in members:
                made = replace(made, expires_us=to_us(tx.now + lifetime_of(members)))
            self._store.put(tx, made)
            self._spaces.line(tx, actor, "snapshot.update", snapshot_id, {})
            return made

        return (await self._work.write(change)).shown()

    async def delete(self, actor: Actor, snapshot_id: str) -> None:
        """Delete a snapshot (clause 5.16.5); raises `SnapshotNotFound`."""

        def delete(tx: Tx) -> None:
            self._end(tx, self._alive(tx, actor, snapshot_id), actor, "snapshot.delete")

        await self._work.write(delete)

    async def purge(self, actor: Actor, query: q.Query, core: Context) -> None:
        """Delete the snapshots that match (clause 5.16.7)."""

        def purge(tx: Tx) -> None:
            for one in self._store.every(tx, actor.tenant):
                if q.matches(query, self._as_used(one).as_entity(core)):
                    self._end(tx, one, actor, "snapshot.purge")

        await self._work.write(purge)

    async def round(self) -> None:
        """End what has expired, empty the spaces of what has gone, and write down what was used."""
        now_us = to_us(self._clock.now())
        every = await self._work.read(self._store.every)
        over = [one for one in every if one.expires_us <= now_us]
        used = [one for one in every if self._as_used(one) is not one]
        if over or used:
            await self._work.write(lambda tx: self._settle(tx, over, used))
        for space in await self._work.read(self._store.left):
            if not self._spaces.is_held_still(space):
                await self._filling.empty(space)
                await self._work.write(partial(self._store.drop, space=space))
        await self._telling.round()

    def _settle(self, tx: Tx, over: Sequence[Snapshot], used: Sequence[Snapshot]) -> None:
        for one in used:
            kept = self._store.get(tx, one.tenant, one.id)
            if kept is not None:
                self._store.put(tx, self._as_used(kept))
        for one in over:
            kept = self._store.get(tx, one.tenant, one.id)
            if kept is not None and kept.expires_us <= to_us(tx.now):
                self._expire(tx, kept)

    def _as_used(self, one: Snapshot) -> Snapshot:
        used = self._used.get((one.tenant, one.id))
        if used is None or parse_instant(used) <= parse_instant(one.document["lastUsedAt"]):
            return one
        return replace(one, document={**one.document, "lastUsedAt": used})

    async def _begin(self, actor: Actor, members: Mapping[str, Any], action: str) -> Snapshot:
        receiver_of(members)
        snapshot_id = members.get("id") or urn("Snapshot", secrets.token_hex(12))
        # A name of a tenant begins with a letter or a digit: nobody can ask for this one.
        space = f"#snapshot:{secrets.token_hex(16)}"

        def begin(tx: Tx) -> Snapshot:
            now = format_instant(tx.now)
            old = self._store.get(tx, actor.tenant, snapshot_id)
            if old is not None:
                if old.expires_us > to_us(tx.now):
                    raise SnapshotExists(snapshot_id)
                self._expire(tx, old)
            if len(self._store.every(tx, actor.tenant)) >= MOST_SNAPSHOTS:
                raise TooLarge(
                    f"there are {MOST_SNAPSHOTS} snapshots already",
                    code="snapshot.many",
                    fix="delete some, or ask for shorter lifetimes",
                )
            self._telling.check_room(tx, actor.tenant, members)
            expires_us = to_us(tx.now + lifetime_of(members))
            document = with_defaults({**members, "id": snapshot_id}, now)
            made = Snapshot(actor.tenant, snapshot_id, space, expires_us, document)
            self._store.put(tx, made)
            self._spaces.line(tx, actor, action, snapshot_id, {})
            return made

        return await self._work.write(begin)

    def _spawn(self, made: Snapshot, fill: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        async def run() -> None:
            try:
                async with self._turns:
                    await self._finish(made, await fill())
            except SnapshotNotFound:
                return  # it was deleted meanwhile
            except Problem as problem:
                _log.warning("snapshot.failed", id=made.id, why=problem.detail)
                await self._finish(made, {"snapshotStatus": "failure"})
            except Exception:
                # Whoever waits for it must not wait for ever.
                _log.exception("snapshot.failed", id=made.id)
                await self._finish(made, {"snapshotStatus": "failure"})

        task = asyncio.create_task(run(), name="snapshot")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fill(
        self, made: Snapshot, asked: Asked, plans: Plans, explain: Explain
    ) -> dict[str, Any]:
        budget, filling = Budget(), self._filling
        copies = [partial(filling.copy, made, one, asked, budget) for one in plans.now]
        details = [await self._result(made, copy, asked, explain) for copy in copies]
        copies = [partial(filling.copy_past, made, one, asked, budget) for one in plans.past]
        past = [await self._result(made, copy, asked, explain) for copy in copies]
        told = zip(DETAILS, (details, past), strict=True)
        return {
            "snapshotStatus": status_of([*details, *past]),
            **{name: each for name, each in told if each},
        }

    async def _result(
        self,
        made: Snapshot,
        copy: Callable[[], Awaitable[int]],
        asked: Asked,
        explain: Explain,
    ) -> dict[str, Any]:
        """Return what became of one query (clause 5.2.42)."""
        asked.warnings.clear()
        try:
            copied = await copy()
        except SnapshotNotFound:
            raise
        except Problem as problem:
            return {"resultStatus": "failure", "problemDetails": explain(problem)}
        except Exception:
            _log.exception("snapshot.query_failed", id=made.id)
            why = Problem("an error of ours; the log has it", code="internal")
            return {"resultStatus": "failure", "problemDetails": explain(why)}
        if asked.warnings:
            why = Problem("; ".join(asked.warnings), code="snapshot.sources")
            return {"resultStatus": "partial", "problemDetails": explain(why)}
        return {"resultStatus": "success" if copied else "empty"}

    async def _finish(self, made: Snapshot, outcome: Mapping[str, Any]) -> None:
        def finish(tx: Tx) -> None:
            kept = self._store.get(tx, made.tenant, made.id)
            if kept is not None and kept.space == made.space:
                self._become(tx, kept, outcome)

        await self._work.write(finish)

    def _become(self, tx: Tx, one: Snapshot, outcome: Mapping[str, Any]) -> None:
        made = _changed(one, tx, outcome)
        self._store.put(tx, made)
        self._telling.tell(tx, made)

    async def _ready(self, actor: Actor, snapshot_id: str) -> Snapshot:
        found = await self._work.glance(lambda tx: self._alive(tx, actor, snapshot_id))
        if not found.is_ready:
            raise SnapshotPreparing(snapshot_id)
        return found

    def _alive(self, tx: Tx, actor: Actor, snapshot_id: str) -> Snapshot:
        kept = self._store.get(tx, actor.tenant, snapshot_id)
        if kept is None or kept.expires_us <= to_us(tx.now):
            raise SnapshotNotFound(snapshot_id)
        return kept

    def _expire(self, tx: Tx, one: Snapshot) -> None:
        # That it has gone is told by `expiresAt`, which lies before `notifiedAt` (clause 5.3.4).
        self._telling.tell(tx, one)
        self._end(tx, one, system("expiry", one.tenant), "snapshot.expire")

    def _end(self, tx: Tx, one: Snapshot, by: Actor, action: str) -> None:
        self._store.leave(tx, one)
        self._end_within(tx, one.space)
        self._spaces.line(tx, by, action, one.id, {})
        tx.after_commit(lambda: self._forget_use(one))

    def _forget_use(self, one: Snapshot) -> None:
        self._used.pop((one.tenant, one.id), None)


def _changed(one: Snapshot, tx: Tx, members: Mapping[str, Any]) -> Snapshot:
    document = {**one.document, **members, "modifiedAt": format_instant(tx.now)}
    return replace(one, document=document)
