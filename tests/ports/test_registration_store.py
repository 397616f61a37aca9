"""What every store of registrations promises (`broker.registry.ports.RegistrationStore`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from chengmai.broker.registry.ports import RegistrationStore, Tally
from chengmai.kernel.work import Tx, Work
from chengmai.store.sqlite.registrations import SqliteRegistrations
from chengmai.store.sqlite.work import SqliteWork

T = TypeVar("T")


class Bench:
    """One adapter and what runs its transactions."""

    def __init__(self, work: Work[Any], store: RegistrationStore) -> None:
        self.work, self.store = work, store

    async def write(self, fn: Callable[[Tx], T]) -> T:
        return await self.work.write(fn)

    async def put(self, tenant: str, document: dict[str, Any]) -> None:
        await self.write(lambda tx: self.store.put(tx, tenant, document))

    async def all(self) -> list[tuple[str, dict[str, Any]]]:
        return await self.work.read(self.store.all)


@pytest.fixture
def bench(work: SqliteWork) -> Bench:
    return Bench(work, SqliteRegistrations())


def a_document(name: str, **members: Any) -> dict[str, Any]:
    return {"id": f"urn:ngsi-ld:ContextSourceRegistration:{name}", **members}


async def test_a_registration_comes_back_as_it_was_put(bench: Bench) -> None:
    one = a_document("one", information=[{"entities": [{"type": "车"}]}])
    await bench.put("city", one)
    assert await bench.work.read(lambda tx: bench.store.get(tx, "city", one["id"])) == one


async def test_putting_again_replaces(bench: Bench) -> None:
    for scope in ("/a", "/b"):
        one = a_document("one", scope=scope)
        await bench.put("city", one)
    assert [document["scope"] for _, document in await bench.all()] == ["/b"]


async def test_all_are_ordered_by_tenant_and_id(bench: Bench) -> None:
    for tenant, name in (("b", "1"), ("a", "2"), ("a", "1")):
        await bench.put(tenant, a_document(name))
    assert [(tenant, one["id"][-1]) for tenant, one in await bench.all()] == [
        ("a", "1"),
        ("a", "2"),
        ("b", "1"),
    ]


async def test_a_tenant_does_not_see_or_remove_what_is_of_another(bench: Bench) -> None:
    one = a_document("one")
    await bench.put("a", one)
    assert await bench.work.read(lambda tx: bench.store.get(tx, "b", one["id"])) is None
    assert not await bench.write(lambda tx: bench.store.remove(tx, "b", one["id"]))
    assert len(await bench.all()) == 1


async def test_removing_takes_the_tally_with_it(bench: Bench) -> None:
    one = a_document("one")
    tally = Tally("city", one["id"], 3, 1, 10, None)

    def put(tx: Tx) -> None:
        bench.store.put(tx, "city", one)
        bench.store.put_tally(tx, tally)

    await bench.write(put)
    assert await bench.work.read(bench.store.tallies) == [tally]
    assert await bench.write(lambda tx: bench.store.remove(tx, "city", one["id"]))
    assert await bench.all() == []
    assert await bench.work.read(bench.store.tallies) == []


async def test_a_tally_is_replaced(bench: Bench) -> None:
    def put(tx: Tx) -> None:
        for sent in (1, 2):
            bench.store.put_tally(tx, Tally("city", "urn:x:1", sent))

    await bench.write(put)
    assert [one.times_sent for one in await bench.work.read(bench.store.tallies)] == [2]
