"""Use cases on pools: look, suggest, decide, measure. One failing pool stops no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal
from zoneinfo import ZoneInfo

import structlog

from chengmai.kernel.actors import Actor, system
from chengmai.kernel.events import CaseMoved, WorkAsked
from chengmai.kernel.instants import from_us
from chengmai.kernel.problems import Problem
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import value_of
from chengmai.pools.deciding import checked_amounts, clean_reason, decided
from chengmai.pools.effects import effect_of
from chengmai.pools.entities import pool_entity, suggestion_entity
from chengmai.pools.looking import Looker
from chengmai.pools.model import TAKEN, Look, Move, Pool, State, Suggestion
from chengmai.pools.ports import Ports
from chengmai.pools.problems import PoolNotFound, SuggestionDecided, SuggestionNotFound
from chengmai.trust.policy import allow

Decision = Literal["accept", "refuse"]
_DONE = frozenset({"handled", "closed"})
_BACK = frozenset({"verify_fail", "reopen"})
_OTHERS = 200
_RECENT = 20
"""Accepted suggestions of a pool, the newest, whose cases may still be at work."""
_log = structlog.get_logger("chengmai.pools")


@dataclass(frozen=True)
class Failure:
    """A pool that could not be looked at, and why."""

    pool: str
    detail: str


class PoolService:
    """The pools of a city. Suggestions are made by the platform and decided by people."""

    def __init__(
        self, ports: Ports, pools: Sequence[Pool], zone: ZoneInfo, *, time_limit_s: float = 5.0
    ) -> None:
        self._ports = ports
        self._pools = {pool.key: pool for pool in pools}
        self._looker = Looker(ports, zone, time_limit_s=time_limit_s)
        self._done: dict[str, int] = {}

    @property
    def pools(self) -> tuple[Pool, ...]:
        """Every pool of the packs, by key."""
        return tuple(self._pools[key] for key in sorted(self._pools))

    def pool(self, pack: str, name: str) -> Pool:
        """Return a pool; raises `PoolNotFound`."""
        found = self._pools.get(f"{pack}/{name}")
        if found is None:
            raise PoolNotFound(f"{pack}/{name}", self._pools)
        return found

    async def round(self, tenant: str) -> list[Failure]:
        """Look at every pool that has a new whole step, suggest, let lapse, measure; return what failed."""
        failures = []
        for pool in self.pools:
            key, at_us = f"{tenant} {pool.key}", self._looker.end_of_step(pool)
            if self._done.get(key) == at_us:
                continue
            try:
                look = await self._looker.look(tenant, pool, fresh=True)
                await self._ports.work.write(partial(self._keep, tenant=tenant, look=look))
            except Problem as problem:
                failures.append(Failure(pool.key, problem.detail))
            except Exception as error:  # a faulty pool must not take the others with it
                _log.exception("pool failed", pool=pool.key, tenant=tenant)
                failures.append(Failure(pool.key, str(error)))
            self._done[key] = at_us
        return failures

    async def look(self, by: Actor, pack: str, name: str) -> Look:
        """Return a pool as of its last whole step; nothing is written. Raises `PoolNotFound`."""
        allow(by, "pools.read")
        return await self._looker.look(by.tenant, self.pool(pack, name))

    async def seen(self, by: Actor, pack: str, name: str) -> Look:
        """Return the last look at a pool, which may be some steps old; a first one when there is none."""
        allow(by, "pools.read")
        pool = self.pool(pack, name)
        return self._looker.last(by.tenant, pool) or await self._looker.look(by.tenant, pool)

    async def suggestions(
        self, by: Actor, pack: str, name: str, *, limit: int = 20
    ) -> list[Suggestion]:
        """Return what was suggested for a pool, the newest first; raises `PoolNotFound`."""
        allow(by, "pools.read")
        pool = self.pool(pack, name)
        size = min(max(limit, 1), _OTHERS)
        return await self._ports.work.read(
            lambda tx: self._ports.suggestions.of_pool(
                tx, by.tenant, pool.pack, pool.spec.id, limit=size
            )
        )

    async def decide(
        self,
        by: Actor,
        suggestion_id: str,
        decision: Decision,
        *,
        reason: str = "",
        amounts: Mapping[int, int] | None = None,
        key: str = "",
    ) -> Suggestion:
        """Return the suggestion after `by` accepted it, with other amounts if given, or refused it.

        `amounts` maps the number of a move to its units; 0 leaves the move out. A refusal and a change need a
        reason. Each accepted move opens a case, in the same transaction. With `key`, the same request sent
        again changes nothing. Raises `SuggestionNotFound`, `SuggestionDecided`, `AmountNotPossible` or
        `DecisionInvalid`.
        """
        allow(by, "pools.decide")
        words = clean_reason(reason)

        def do(tx: Tx) -> Suggestion:
            made = self._ports.suggestions.get(tx, by.tenant, suggestion_id)
            if made is None:
                raise SuggestionNotFound(suggestion_id)
            if key and made.key == key and made.decided_by == by.id:
                return made
            if made.state is not State.PROPOSED:
                raise SuggestionDecided(made.id, made.state, made.decided_name)
            if tx.now >= made.decide_by:
                raise SuggestionDecided(made.id, State.LAPSED, "")
            moves = made.moves if decision == "refuse" else checked_amounts(made, amounts or {})
            after = decided(made, decision, moves, by=by, at=tx.now, reason=words, key=key)
            if after.state in TAKEN:
                after = after.model_copy(update={"moves": self._begun(tx, after, by)})
            self._save(tx, after, by)
            detail = {"state": after.state.value, "moves": [m.units for m in after.moves]}
            self._ports.audit.line(tx, by, f"pools.{decision}", after.id, detail)
            return after

        return await self._ports.work.write(do)

    async def carried_out(
        self, tenant: str, entity_type: str, since: datetime
    ) -> list[tuple[Pool, Suggestion]]:
        """Return the accepted suggestions on things of a type of which moves are done, ended after `since`."""
        pools = [pool for pool in self.pools if pool.spec.entity == entity_type]

        def read(tx: Tx) -> list[tuple[Pool, Suggestion]]:
            return [
                (pool, made)
                for pool in pools
                for made in self._taken(tx, tenant, pool)
                if made.end > since and any(move.done_at for move in made.moves)
            ]

        return await self._ports.work.read(read) if pools else []

    def on_case_moved(self, tx: Tx, event: CaseMoved) -> None:
        """Note when the case of a move was handled, and that it was not when it goes back."""
        if event.state not in _DONE and event.step not in _BACK:
            return
        for pool in self.pools:
            for made in self._taken(tx, event.tenant, pool):
                found = next((one for one in made.moves if one.case == event.case_id), None)
                if found is None:
                    continue
                is_done = event.state in _DONE
                if is_done == (found.done_at is not None):
                    return
                now = found.model_copy(update={"done_at": event.at if is_done else None})
                moves = tuple(now if one.n == found.n else one for one in made.moves)
                self._save(
                    tx, made.model_copy(update={"moves": moves}), system("pools", event.tenant)
                )
                return

    def _taken(self, tx: Tx, tenant: str, pool: Pool) -> list[Suggestion]:
        store, spec = self._ports.suggestions, pool.spec
        return store.of_pool(tx, tenant, pool.pack, spec.id, states=sorted(TAKEN), limit=_RECENT)

    def _keep(self, tx: Tx, tenant: str, look: Look) -> None:
        """Write the pool, end what is over, and put forward what is new."""
        by, store = system("pools", tenant), self._ports.suggestions
        pack, name = look.pool.pack, look.pool.spec.id
        self._ports.model.put(tx, pool_entity(look), by=by)
        for made in store.of_pool(tx, tenant, pack, name, states=[State.PROPOSED]):
            if made.decide_by <= tx.now:
                self._save(tx, made.model_copy(update={"state": State.LAPSED}), by)
        taken = store.of_pool(tx, tenant, pack, name, states=sorted(TAKEN), limit=_OTHERS)
        for made in taken:
            if made.effect is None and made.end + look.pool.spec.step <= from_us(look.at_us):
                self._measure(tx, look, made, taken, by)
        # A suggestion waits for its decision, and an accepted one for its end, before there is another.
        waits = store.of_pool(tx, tenant, pack, name, states=[State.PROPOSED], limit=1)
        runs = any(made.end > tx.now for made in taken)
        plan = look.plan
        if plan is None or waits or runs or plan.decide_by <= tx.now:
            return
        if store.get(tx, tenant, plan.id) is None:
            self._save(tx, plan, by)

    def _measure(
        self, tx: Tx, look: Look, made: Suggestion, taken: Sequence[Suggestion], by: Actor
    ) -> None:
        others = [(one.start, one.end) for one in taken if one.id != made.id]
        effect = effect_of(
            look.pool,
            made,
            look.members,
            at=from_us(look.at_us),
            carried_out=sum(self._is_done(tx, by.tenant, move) for move in made.moves),
            others=others,
        )
        self._save(tx, made.model_copy(update={"effect": effect}), by)

    def _is_done(self, tx: Tx, tenant: str, move: Move) -> bool:
        """Return whether the case of a move stands as handled now; the room of cases writes its state."""
        case = self._ports.model.get(tx, tenant, move.case) if move.case else None
        return case is not None and value_of(case, "caseState") in _DONE

    def _begun(self, tx: Tx, made: Suggestion, by: Actor) -> tuple[Move, ...]:
        """Ask for a case for each move with units; return the moves with the ids of their cases."""
        pool = self.pool(made.pack, made.pool)
        begun = []
        for move in made.moves:
            opened: list[str] = []
            if move.units:
                self._ports.events.emit(tx, self._asked(tx, pool, made, move, by, opened))
            begun.append(move.model_copy(update={"case": opened[0] if opened else None}))
        return tuple(begun)

    def _asked(
        self, tx: Tx, pool: Pool, made: Suggestion, move: Move, by: Actor, opened: list[str]
    ) -> WorkAsked:
        unit, who = pool.spec.unit, by.name or by.id
        title = Text(
            zh=f"{pool.spec.title.zh}：{move.source_name.zh} → {move.target_name.zh}，{move.units} "
            f"{unit.zh}",
            en=f"{pool.spec.title.en}: {move.source_name.en} → {move.target_name.en}, {move.units} "
            f"{unit.en}",
        )
        reason = Text(
            zh=f"{who}采纳了调度建议。{move.why.zh}",
            en=f"{who} accepted a suggestion to reallocate. {move.why.en}",
        )
        facts = {"suggestion": made.id, "move": move.n, "units": move.units}
        facts |= {"source": move.source, "target": move.target}
        return WorkAsked(
            tenant=by.tenant,
            at=tx.now,
            by=by,
            category=pool.spec.opens,
            title=title,
            reason=reason,
            area=move.target_area,
            facts=facts,
            opened=opened.append,
            location=move.location,
        )

    def _save(self, tx: Tx, made: Suggestion, by: Actor) -> None:
        self._ports.suggestions.put(tx, made)
        self._ports.model.put(
            tx, suggestion_entity(made), by=by, note=f"suggestion {made.state.value}"
        )
