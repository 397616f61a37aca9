"""What every adapter of `broker.ports.EntityStore` promises of orders: the index never changes an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chengmai.broker.model import EntityQuery
from chengmai.broker.ports import Candidates
from chengmai.ngsild.entity import DEFAULT_VOCAB, Entity
from chengmai.ngsild.ordering import parse_ordering
from chengmai.ngsild.q import parse_q
from tests.ports.test_entity_finding import CORE, SENSOR, Shelf, _of_sensors, texts

NUMBERS = count()
EMPTY = Candidates()
plain = st.one_of(st.integers(-2, 2), st.sampled_from([0.5, "", "x", "é", "y"]), st.booleans())
odd = st.one_of(plain, texts, st.lists(plain, max_size=2), st.fixed_dictionaries({"x": plain}))


@st.composite
def sensors(draw: st.DrawFn, held: st.SearchStrategy[Any]) -> list[Entity]:
    made: list[Entity] = []
    for n in range(draw(st.integers(1, 9))):
        entity: Entity = {"id": f"urn:e:{n % 3}:{n}", "type": [SENSOR]}
        for name in ("a", "b"):
            instances = [
                {"type": "Property", "value": value}
                | ({"datasetId": f"urn:d:{place}"} if place or draw(st.booleans()) else {})
                for place, value in enumerate(draw(st.lists(held, max_size=2)))
            ]
            if instances:
                entity[DEFAULT_VOCAB + name] = instances
        made.append(entity)
    return made


def _ordered(by: str, **asked: Any) -> EntityQuery:
    return _of_sensors(asked.pop("q", None), order=parse_ordering(by.split(","), CORE), **asked)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    made = Shelf(tmp_path_factory.mktemp("many"))
    yield made
    made.work.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    entities=st.one_of(sensors(plain), sensors(odd)),
    by=st.sampled_from(["a", "a;desc", "a,b;desc", "a;desc,b", "b[x];desc,a", "a.unitCode,a"]),
    offset=st.integers(0, 3),
)
def test_an_order_from_the_index_is_the_order_of_all(
    many: Shelf, entities: list[Entity], by: str, offset: int
) -> None:
    query = _ordered(by, limit=2, offset=offset)
    assert query.order is not None

    async def compare() -> None:
        await many.put(*entities)
        await many.index([parse_q("a;b", CORE)])
        ordered = sorted(entities, key=lambda one: one["id"])
        right = [one["id"] for one in query.order.apply(ordered)]  # type: ignore[union-attr]
        page, _, more = await many.page(query)
        assert page == right[offset : offset + 2]
        assert more is (len(right) > offset + 2)

    many.tenant = f"order {next(NUMBERS)}"
    asyncio.run(compare())


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path)
    yield made
    made.work.close()


def _numbered(n: int) -> Entity:
    value = [{"type": "Property", "value": n * 7 % 1000}]
    return {"id": f"urn:e:{n:05}", "type": [SENSOR], DEFAULT_VOCAB + "a": value}


async def test_an_order_that_sorts_many_entities_gets_an_index_and_then_reads_few(
    shelf: Shelf,
) -> None:
    await shelf.put(*(_numbered(n) for n in range(1000)))
    query = _ordered("a;desc", limit=3)
    first = await shelf.ids(query)
    await shelf.store.values.fill(shelf.work)

    def walked(tx: Any) -> list[int]:
        found = shelf.store.in_order(tx, "city", EMPTY, DEFAULT_VOCAB + "a", descending=True)
        assert found is not None
        return [value for (_, value), _ in (next(found) for _ in range(3))]

    assert await shelf.ids(query) == first
    assert await shelf.work.read(walked) == [999, 998, 997]


async def test_an_order_of_what_matches_q_is_of_that_alone(shelf: Shelf) -> None:
    await shelf.put(*(_numbered(n) for n in range(100)))
    wanted = parse_q("a<50", CORE)
    await shelf.index([wanted])

    page, total, _ = await shelf.page(_ordered("a;desc", q=wanted, limit=1, count=True))
    assert (page, total) == (["urn:e:00007"], 8)
