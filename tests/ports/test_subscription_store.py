"""What every store of subscriptions and of what is due to them promises (`broker.ports.SubscriptionStore`)."""

from __future__ import annotations

from typing import Any

import pytest

from chengmai.broker.ports import SubscriptionStore
from chengmai.kernel.work import Tx
from chengmai.store.sqlite.subscriptions import SqliteSubscriptions
from chengmai.store.sqlite.work import SqliteWork

ONE, TWO = "urn:ngsi-ld:Subscription:1", "urn:ngsi-ld:Subscription:2"


class Bench:
    """One adapter and what runs its transactions."""

    def __init__(self, work: SqliteWork, store: SubscriptionStore) -> None:
        self.work, self.store = work, store

    async def put(self, tenant: str, subscription_id: str, **members: Any) -> None:
        document = {"id": subscription_id, **members}
        await self.work.write(lambda tx: self.store.put(tx, tenant, document))

    async def add_due(self, tenant: str, subscription_id: str, *bodies: bytes) -> None:
        def add(tx: Tx) -> None:
            for body in bodies:
                self.store.add_due(tx, tenant, subscription_id, "urn:x:1", body)

        await self.work.write(add)

    async def due(self, tenant: str, subscription_id: str, limit: int = 10) -> list[bytes]:
        rows = await self.work.read(lambda tx: self.store.due(tx, tenant, subscription_id, limit))
        return [row.body for row in rows]


@pytest.fixture(params=[False, True], ids=["to entities", "to registrations"])
def bench(work: SqliteWork, request: pytest.FixtureRequest) -> Bench:
    return Bench(work, SqliteSubscriptions(of_registrations=request.param))


async def test_a_subscription_comes_back_as_it_was_last_put(bench: Bench) -> None:
    await bench.put("city", ONE, description="旧")
    await bench.put("city", ONE, description="新")
    assert await bench.work.read(bench.store.all) == [("city", {"id": ONE, "description": "新"})]
    found = await bench.work.read(lambda tx: bench.store.get(tx, "city", ONE))
    assert found == {"id": ONE, "description": "新"}


async def test_tenants_are_kept_apart(bench: Bench) -> None:
    await bench.put("a", ONE)
    await bench.add_due("a", ONE, b"1")
    assert await bench.work.read(lambda tx: bench.store.get(tx, "b", ONE)) is None
    assert await bench.due("b", ONE) == []
    assert not await bench.work.write(lambda tx: bench.store.remove(tx, "b", ONE))
    assert await bench.due("a", ONE) == [b"1"]


async def test_what_is_due_comes_in_order_and_in_pages(bench: Bench) -> None:
    await bench.add_due("city", ONE, b"1", b"2", b"3")
    await bench.add_due("city", TWO, b"4")
    assert await bench.due("city", ONE, limit=2) == [b"1", b"2"]
    assert await bench.work.read(bench.store.waiting) == [("city", ONE, 3), ("city", TWO, 1)]


async def test_what_was_sent_goes_and_the_rest_stays(bench: Bench) -> None:
    await bench.add_due("city", ONE, b"1", b"2", b"3")
    rows = await bench.work.read(lambda tx: bench.store.due(tx, "city", ONE, 2))
    await bench.work.write(lambda tx: bench.store.sent(tx, "city", ONE, rows[-1].seq))
    assert await bench.due("city", ONE) == [b"3"]


async def test_removing_a_subscription_takes_what_is_due_with_it(bench: Bench) -> None:
    await bench.put("city", ONE)
    await bench.add_due("city", ONE, b"1")
    assert await bench.work.write(lambda tx: bench.store.remove(tx, "city", ONE))
    assert await bench.work.read(bench.store.all) == []
    assert await bench.due("city", ONE) == []


async def test_both_kinds_are_kept_apart(work: SqliteWork) -> None:
    entities = Bench(work, SqliteSubscriptions())
    registrations = Bench(work, SqliteSubscriptions(of_registrations=True))
    await entities.put("city", ONE)
    await registrations.add_due("city", ONE, b"1")
    assert await work.read(registrations.store.all) == []
    assert await entities.due("city", ONE) == []
