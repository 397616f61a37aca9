"""What people decided on pools, as orders to the simulated city."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chengmai.connect.simulate.orders import Order
from chengmai.pools.service import PoolService


@dataclass(frozen=True)
class PoolOrders:
    """The moves of accepted suggestions, each from when its case was handled to the end of the suggestion."""

    pools: PoolService
    tenant: str

    async def __call__(self, entity_type: str, since: datetime) -> Sequence[Order]:
        return [
            Order(
                f"{made.id} {move.n}",
                made.limits.kind,
                move.source,
                move.target,
                move.units,
                move.done_at,
                made.end,
                pool.spec.use,
                pool.spec.capacity,
                pool.spec.waiting,
            )
            for pool, made in await self.pools.carried_out(self.tenant, entity_type, since)
            for move in made.moves
            if move.done_at is not None and move.units
        ]
