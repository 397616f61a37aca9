"""What every adapter of `broker.ports.EntityStore` promises of finding: the index never changes an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chengmai.broker.finding import Finder
from chengmai.broker.model import EntityQuery, Which
from chengmai.kernel.clock import FixedClock
from chengmai.ngsild.contexts import ContextCompiler, core_documents
from chengmai.ngsild.entity import DEFAULT_VOCAB, VALUE_MEMBER, Entity, Instance
from chengmai.ngsild.q import And, Comparison, Or, Query, matches, parse_q
from chengmai.ngsild.select import Selector
from chengmai.store.sqlite.entities import SqliteEntities
from chengmai.store.sqlite.values import path_of
from chengmai.store.sqlite.work import SqliteWork

CORE = ContextCompiler(core_documents(), None).core
SENSOR, ROOM = (DEFAULT_VOCAB + name for name in ("Sensor", "Room"))
NAMES = ("a", "b")
NUMBERS = count()

numbers = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([0.5, -0.0, 1e300, 2**53 + 1, 2**63 - 1, 2**64 - 1]),
)
texts = st.sampled_from(
    ["", "x", "y", "é", "2026-01-01T00:00:00Z", "2026-01-01T08:00:00+08:00", "2026-01-01T", "2025"]
)
scalars = st.one_of(numbers, texts, st.booleans())
values = st.one_of(
    scalars,
    st.lists(scalars, min_size=1, max_size=2),
    st.fixed_dictionaries({"x": scalars}),
    st.fixed_dictionaries({"@value": texts}),
)
kinds = st.sampled_from(["Property", "Relationship", "LanguageProperty", "ListProperty"])


@st.composite
def instances(draw: st.DrawFn) -> Instance:
    kind = draw(kinds)
    if kind == "Relationship":
        value: Any = draw(st.sampled_from(["urn:x", "urn:y"]))
    elif kind == "LanguageProperty":
        value = draw(st.dictionaries(st.sampled_from(["zh", "en"]), texts, min_size=1))
    else:
        value = draw(values)
    return {"type": kind, VALUE_MEMBER[kind]: value, "observedAt": "2026-01-01T00:00:00Z"}


@st.composite
def entities(draw: st.DrawFn) -> list[Entity]:
    made = []
    for n in range(draw(st.integers(1, 8))):
        entity: Entity = {
            "id": f"urn:e:{n % 3}:{n}",
            "type": [draw(st.sampled_from([SENSOR, ROOM]))],
        }
        for name in NAMES:
            if found := draw(st.lists(instances(), max_size=2)):
                entity[DEFAULT_VOCAB + name] = found
        made.append(entity)
    return made


def _quoted(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)


@st.composite
def terms(draw: st.DrawFn) -> str:
    path = draw(st.sampled_from(["a", "b", "a[x]", "a.observedAt", "b[en]"]))
    op = draw(st.sampled_from(["", "!", "==", "!=", ">", ">=", "<", "<=", "~=", "list", "range"]))
    if op in ("", "!"):
        return op + path
    if op == "~=":
        return f"{path}~=x"
    one = draw(scalars if op in ("==", "!=", "list") else st.one_of(numbers, texts))
    if op == "range":
        other = draw(texts if isinstance(one, str) else numbers)
        return f"{path}{draw(st.sampled_from(['==', '!=']))}{_quoted(one)}..{_quoted(other)}"
    if op == "list":
        return f"{path}{draw(st.sampled_from(['==', '!=']))}{_quoted(one)},{_quoted(draw(scalars))}"
    return f"{path}{op}{_quoted(one)}"


queries = st.recursive(
    terms(),
    lambda inner: st.tuples(inner, st.sampled_from([";", "|"]), inner).map(
        lambda three: f"({three[0]}{three[1]}{three[2]})"
    ),
    max_leaves=3,
)


def _terms_of(query: Query) -> list[Comparison]:
    if isinstance(query, And | Or):
        return [term for one in query.terms for term in _terms_of(one)]
    return [query]


class Shelf:
    """A store of entities in a folder of its own; `tenant` is who asks."""

    def __init__(self, folder: Path) -> None:
        self.tenant = "city"
        clock = FixedClock(datetime(2026, 11, 22, tzinfo=UTC))
        self.work = SqliteWork(folder / "state.db", "0" * 64, clock)
        self.store = SqliteEntities()
        self.finder = Finder(self.store)

    async def put(self, *made: Entity) -> None:
        def put(tx: Any) -> None:
            for entity in made:
                before = self.store.get(tx, self.tenant, entity["id"])
                self.store.put(tx, self.tenant, entity, before)

        await self.work.write(put)

    async def index(self, queries: Sequence[Query]) -> None:
        for query in queries:
            self.store.values.want(self.tenant, _terms_of(query))
        await self.store.values.fill(self.work)

    async def ids(self, query: EntityQuery) -> list[str]:
        found = await self.work.read(lambda tx: self.finder.page(tx, self.tenant, query))
        return [entity["id"] for entity in found.entities]

    async def is_exact(self, query: EntityQuery) -> bool:
        quick = await self.work.read(lambda tx: self.finder.quick_page(tx, self.tenant, query))
        return quick is not None

    async def page(self, query: EntityQuery) -> tuple[list[str], int | None, bool]:
        found = await self.work.read(lambda tx: self.finder.page(tx, self.tenant, query))
        return [entity["id"] for entity in found.entities], found.total, found.more


def _of_sensors(query: Query, **paging: Any) -> EntityQuery:
    return EntityQuery(which=(Which(types=Selector((frozenset({SENSOR}),))),), q=query, **paging)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    made = Shelf(tmp_path_factory.mktemp("many"))
    yield made
    made.work.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    first=entities(),
    then=entities(),
    asked=st.lists(queries, min_size=1, max_size=4),
    offset=st.integers(0, 2),
)
def test_the_index_of_values_answers_what_reading_every_entity_answers(
    many: Shelf, first: list[Entity], then: list[Entity], asked: list[str], offset: int
) -> None:
    parsed = [parse_q(text, CORE) for text in asked]

    async def compare() -> None:
        await many.put(*first)
        await many.index(parsed)
        await many.put(*then)  # which the index follows
        stored = {one["id"]: one for one in [*first, *then]}
        for query in parsed:
            await _compare(many, stored, query, offset)

    many.tenant = str(next(NUMBERS))  # a tenant an example: a file each would take seconds
    asyncio.run(compare())


async def _compare(shelf: Shelf, stored: dict[str, Entity], query: Query, offset: int) -> None:
    right = sorted(
        entity_id
        for entity_id, one in stored.items()
        if one["type"] == [SENSOR] and matches(query, one)
    )
    page, total, more = await shelf.page(_of_sensors(query, limit=2, offset=offset, count=True))
    assert (page, total) == (right[offset : offset + 2], len(right)), query
    assert more is (len(right) > offset + 2)
    page, _, more = await shelf.page(_of_sensors(query, limit=2, offset=offset))
    assert (page, more) == (right[offset : offset + 2], len(right) > offset + 2)
    assert await shelf.ids(_of_sensors(query, limit=100)) == right


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path)
    yield made
    made.work.close()


def _number(n: int, value: Any) -> Entity:
    attribute = [{"type": "Property", "value": value}]
    return {"id": f"urn:e:{n:05}", "type": [SENSOR], DEFAULT_VOCAB + "a": attribute}


async def test_a_question_that_reads_many_entities_gets_an_index(shelf: Shelf) -> None:
    await shelf.put(*(_number(n, n) for n in range(700)))
    query = parse_q("a>698", CORE)
    assert await shelf.ids(_of_sensors(query)) == ["urn:e:00699"]

    assert shelf.store.values.take_wanted() == [("city", path_of(_terms_of(query)[0]))]
    await shelf.index([query])
    assert await shelf.ids(_of_sensors(query)) == ["urn:e:00699"]
    assert shelf.store.values.take_wanted() == []


async def test_only_plain_values_let_the_index_judge_alone(shelf: Shelf) -> None:
    query = parse_q("a>1", CORE)
    asked = _of_sensors(query)
    await shelf.put(_number(1, 2))
    await shelf.index([query])

    assert await shelf.is_exact(asked)
    await shelf.put(_number(2, [0, 5]))
    assert not await shelf.is_exact(asked)
    assert await shelf.ids(asked) == ["urn:e:00001", "urn:e:00002"]


async def test_an_entity_that_is_removed_leaves_the_index(shelf: Shelf) -> None:
    query = parse_q("a>1", CORE)
    await shelf.index([query])
    await shelf.put(_number(1, 2))
    await shelf.work.write(lambda tx: shelf.store.remove(tx, "city", "urn:e:00001"))

    rows = await shelf.work.read(lambda tx: tx.db.execute("SELECT * FROM entity_value").fetchall())
    assert rows == []


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("^urn:e:0000[12]$", ["urn:e:00001", "urn:e:00002"]),
        ("^urn:e:00001?2$", ["urn:e:00002"]),
        ("^urn:e:00001|2$", ["urn:e:00001", "urn:e:00002"]),
        ("(?i)^URN:E:00003", ["urn:e:00003"]),
    ],
)
async def test_the_beginning_of_a_pattern_never_shuts_out_what_matches(
    shelf: Shelf, pattern: str, found: list[str]
) -> None:
    await shelf.put(*(_number(n, n) for n in range(1, 4)))

    assert await shelf.ids(EntityQuery(which=(Which(id_pattern=pattern),))) == found


async def test_a_look_up_that_takes_too_long_for_the_event_loop_is_answered_all_the_same(
    shelf: Shelf,
) -> None:
    def count_slowly(tx: Any) -> int:
        asked = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
        ((found,),) = tx.db.execute(f"{asked} SELECT count(*) FROM n")
        return int(found)

    for _ in range(3):
        assert await shelf.work.glance(count_slowly) == 100_000
    assert await shelf.work.glance(lambda tx: tx.db.execute("SELECT 1").fetchall()) == [(1,)]


async def test_a_look_up_that_is_cut_off_while_it_ends_leaves_nothing_open(shelf: Shelf) -> None:
    def cut_off(tx: Any) -> None:
        # Steps are counted over all runs of a statement, so that even the end of a transaction can be hit.
        db: Any = tx.db
        brief: Any = shelf.work._brief
        if brief is db:
            db.set_progress_handler(lambda: shelf.work._pauses >= 0, 1)
        db.execute("SELECT 1").fetchall()

    await shelf.work.glance(lambda tx: None)
    await shelf.work.glance(cut_off)
    db: Any = shelf.work._brief
    assert db.getautocommit()
    db.set_progress_handler(None)
    assert await shelf.work.glance(lambda tx: tx.db.execute("SELECT 1").fetchall()) == [(1,)]
