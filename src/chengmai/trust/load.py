"""How signing in goes, as an entity: counts for signs to watch, and nothing about who tried."""

from __future__ import annotations

from chengmai.kernel.actors import system
from chengmai.kernel.clock import Clock
from chengmai.kernel.ids import urn
from chengmai.kernel.texts import WHOLE_CITY
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import entity, prop
from chengmai.ngsild.model import Model
from chengmai.trust.ports import AccountStore


class AccessLoads:
    """Publishes the entity `AccessLoad`; `clock` is real time, as for the locks of accounts."""

    def __init__(self, work: Work[Tx], store: AccountStore, model: Model, clock: Clock) -> None:
        self._work, self._store, self._model, self._clock = work, store, model, clock

    async def publish(self, tenant: str) -> None:
        """Write failed attempts so far and the accounts that are locked now, observed at the city's time."""
        now = self._clock.now()

        def do(tx: Tx) -> None:
            at = tx.now.replace(microsecond=0)
            accounts = self._store.accounts(tx, tenant)
            failed = self._store.strangers(tx, tenant) + sum(a.failures for a in accounts)
            locked = sum(account.is_locked(now) for account in accounts)
            made = entity(
                urn("AccessLoad", "city"),
                "AccessLoad",
                areaServed=prop(WHOLE_CITY),
                failedAttempts=prop(failed, unit="C62", at=at),
                lockedAccounts=prop(locked, unit="C62", at=at),
            )
            self._model.put(tx, made, by=system("trust", tenant))

        await self._work.write(do)
