"""What every store of subscriptions and of what is due to them promises (`broker.ports.SubscriptionStore`)."""

from __future__ import annotations

from typing import Any

import pytest

from chengmai.broker.ports import DueNotification, Mark, SubscriptionStore, Tally
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
    sent = Mark(("city", ONE))
    sent.note([rows[-1].seq], 7, failed=False, again=False)
    await bench.work.write(lambda tx: bench.store.mark(tx, [sent]))
    assert await bench.due("city", ONE) == [b"1", b"3"]


async def test_what_comes_after_a_number_is_found(bench: Bench) -> None:
    await bench.add_due("city", ONE, b"1", b"2", b"3")
    (first, *_) = await bench.work.read(lambda tx: bench.store.due(tx, "city", ONE, 1))
    rows = await bench.work.read(lambda tx: bench.store.due(tx, "city", ONE, 10, after=first.seq))
    assert [row.body for row in rows] == [b"2", b"3"]


async def test_what_became_due_is_told_as_it_is_kept(bench: Bench) -> None:
    def add(tx: Tx) -> list[DueNotification]:
        return [bench.store.add_due(tx, "city", ONE, "urn:x:1", body) for body in (b"1", b"2")]

    told = await bench.work.write(add)
    assert await bench.work.read(lambda tx: bench.store.due(tx, "city", ONE, 10)) == told


async def test_no_number_is_given_out_twice_even_when_what_had_it_is_gone(bench: Bench) -> None:
    def add(tx: Tx) -> int:
        return bench.store.add_due(tx, "city", ONE, "urn:x:1", b"1").seq

    first = await bench.work.write(add)
    await bench.work.write(lambda tx: bench.store.remove(tx, "city", ONE))
    assert await bench.work.write(add) > first


def _a_mark(*outcomes: str) -> Mark:
    """Return what became of attempts at instants 1, 2, …: `ok`, `failed`, or either again (`ok!`)."""
    made = Mark(("city", ONE))
    for at_us, told in enumerate(outcomes, 1):
        made.note([], at_us, failed=told.startswith("failed"), again=told.endswith("!"))
    return made


async def test_outcomes_are_counted(bench: Bench) -> None:
    await bench.put("city", ONE)
    for mark in (_a_mark("ok", "failed"), _a_mark("failed!", "ok!", "ok")):
        await bench.work.write(lambda tx, mark=mark: bench.store.mark(tx, [mark]))  # type: ignore[misc]
    found = await bench.work.read(lambda tx: bench.store.tally(tx, "city", ONE))
    assert found == Tally(sent=3, failed=1, last_us=3, success_us=3, failure_us=1, is_ok=True)


async def test_outcomes_of_many_are_counted_each_for_itself_and_none_of_one_that_is_gone(
    bench: Bench,
) -> None:
    await bench.put("city", ONE)
    await bench.put("城", TWO)
    gone = "urn:ngsi-ld:Subscription:gone"
    marks = [Mark(("city", ONE)), Mark(("城", TWO)), Mark(("city", gone)), Mark(("city", TWO))]
    for at_us, mark in enumerate(marks, 1):
        mark.note([], at_us, failed=at_us == 2, again=False)

    await bench.work.write_brief(lambda tx: bench.store.mark(tx, [*marks, _a_mark("ok")]))

    async def tally(tenant: str, subscription_id: str) -> Tally | None:
        return await bench.work.read(lambda tx: bench.store.tally(tx, tenant, subscription_id))

    assert await tally("city", ONE) == Tally(2, 0, 1, 1, None, is_ok=True)
    assert await tally("城", TWO) == Tally(1, 1, 2, None, 2, is_ok=False)
    assert await tally("city", gone) is None
    assert await tally("city", TWO) is None


async def test_outcomes_that_wait_are_told_as_one(bench: Bench) -> None:
    await bench.put("city", ONE)
    mark = _a_mark("ok", "ok").followed_by(_a_mark("failed"))
    await bench.work.write(lambda tx: bench.store.mark(tx, [mark]))
    found = await bench.work.read(lambda tx: bench.store.tally(tx, "city", ONE))
    assert found == Tally(sent=3, failed=1, last_us=1, success_us=2, failure_us=1, is_ok=False)


async def test_a_new_subscription_of_an_old_name_begins_to_count_anew(bench: Bench) -> None:
    await bench.put("city", ONE)
    await bench.work.write(lambda tx: bench.store.mark(tx, [_a_mark("ok")]))
    await bench.work.write(lambda tx: bench.store.remove(tx, "city", ONE))
    await bench.work.write(lambda tx: bench.store.mark(tx, [_a_mark("ok")]))
    await bench.put("city", ONE)
    assert await bench.work.read(lambda tx: bench.store.tally(tx, "city", ONE)) is None


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
