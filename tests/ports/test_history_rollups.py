"""Roll-ups give the same numbers as the observations, whatever came late, was corrected or removed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chengmai.history.model import Span
from chengmai.kernel.clock import FixedClock
from chengmai.kernel.instants import format_us, to_us
from chengmai.ngsild.entity import Instance, name_iri
from chengmai.ngsild.temporal import METHODS, TemporalQuery
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.history import EmbeddedHistory
from chengmai.store.sqlite.entities import SqliteEntities
from chengmai.store.sqlite.work import SqliteTx, SqliteWork

T0 = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 9, 8, 0, tzinfo=UTC)
HOUR, DAY = 3_600_000_000, 86_400_000_000
SPEED = name_iri("speed")
NUMBERS = count()
ROLLED = tuple(method for method in METHODS if method not in ("stddev", "distinctCount"))

plain = st.one_of(
    st.integers(-5, 5), st.integers(-999, 999).map(lambda n: n / 10), st.floats(-1e3, 1e3)
)
numbers = st.one_of(plain, plain, plain, st.sampled_from([-0.0, 1e-9, 2**60, 1e22, 1e200, 5e-324]))
odd = st.sampled_from([True, "a", [1, 2]])
seconds = st.one_of(
    st.sampled_from([0, 3599.999999, 3600, 7200, 86399, 86400, 90000, 172800, 8 * 86400]),
    st.integers(0, 40).map(lambda n: n * 600 + 86400),
    st.integers(0, 5 * 86400),
)
starts = st.one_of(
    st.integers(-1, 2).map(lambda n: to_us(T0) + n * DAY),
    st.integers(-30, 30).map(lambda n: to_us(T0) + n * HOUR),
    st.sampled_from([None, to_us(T0) + 977]),
)
ends = st.one_of(st.none(), st.integers(60, 170).map(lambda n: to_us(T0) + n * HOUR + n % 3 * 977))
asked_for = st.sampled_from([ROLLED, ("avg",), ("min", "max"), ("totalCount", "sumsq")])


@st.composite
def readings(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> Instance:
    made: Instance = {"type": "Property", "value": draw(values)}
    if draw(st.integers(0, 9)):
        made["observedAt"] = format_us(to_us(T0) + int(draw(seconds) * 1e6))
    return made


@st.composite
def windows(draw: st.DrawFn) -> TemporalQuery:
    periods = st.sampled_from([0, HOUR, 5 * HOUR, DAY, 2 * DAY, HOUR * 3 // 2])
    return TemporalQuery(
        "between", draw(starts), draw(ends), methods=draw(asked_for), period_us=draw(periods)
    )


class Past:
    """One history for all examples; each has an entity of its own."""

    def __init__(self, folder: Path) -> None:
        self.work = SqliteWork(folder / "state.db", "0" * 64, FixedClock(NOW))
        self.sealed = SealedHistory(folder / "history.duckdb")
        self.store = EmbeddedHistory(self.work, self.sealed)
        self.entity_id = ""

    def close(self) -> None:
        self.work.close()
        self.sealed.close()

    async def record(self, made: list[Instance]) -> None:
        changes = [(SPEED, one) for one in made]
        await self.work.write(lambda tx: self.store.record(tx, "city", self.entity_id, changes))

    async def edit(self, number: int, change: Any) -> None:
        def edit(tx: SqliteTx) -> None:
            found = self.store.instances(
                tx, "city", self.entity_id, attributes=None, span=Span(by="modifiedAt"), last_n=None
            )
            if told := found.get(SPEED):
                name = told[number % len(told)]["instanceId"]
                self.store.edit_instance(tx, "city", self.entity_id, SPEED, name, change)

        await self.work.write(edit)

    async def forget(self) -> None:
        await self.work.write(lambda tx: self.store.forget(tx, "city", self.entity_id))

    async def seal_and_roll(self) -> None:
        await self.store.seal()
        while self.sealed.merge(fan=4):
            pass
        while self.sealed.roll(to_us(NOW) // DAY + 719_162, most=5):
            pass

    async def summed(self, window: TemporalQuery) -> Any:
        found = await self.work.read(
            lambda tx: self.store.summaries(tx, "city", self.entity_id, window)
        )
        assert found is not None
        return [one["aggregates"] for one in found.get(SPEED, [])]

    async def compare(self, window: TemporalQuery) -> None:
        # A window over one more method that roll-ups do not know is answered from the observations.
        told = await self.summed(replace(window, methods=(*window.methods, "distinctCount")))
        for one in told:
            del one["distinctCount"]
        assert await self.summed(window) == told


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    made = Past(tmp_path_factory.mktemp("past"))
    yield made
    made.close()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    first=st.lists(readings(numbers), min_size=8, max_size=40),
    late=st.lists(readings(st.one_of(plain, plain, plain, odd)), max_size=4),
    last=st.lists(readings(plain), max_size=4),
    edited=st.integers(0, 30),
    forgotten=st.booleans(),
    asked=st.lists(windows(), min_size=2, max_size=3),
)
def test_aggregates_are_the_same_with_and_without_roll_ups(
    past: Past,
    first: list[Instance],
    late: list[Instance],
    last: list[Instance],
    edited: int,
    forgotten: bool,
    asked: list[TemporalQuery],
) -> None:
    past.entity_id = f"urn:ngsi-ld:Road:{next(NUMBERS)}"

    async def compare() -> None:
        steps: list[Callable[[], Awaitable[None]]] = [
            partial(past.record, first),
            past.seal_and_roll,
            partial(past.record, late),
            partial(past.edit, edited, lambda old: {**old, "value": 77}),
            partial(past.edit, edited + 1, lambda old: None),
            past.seal_and_roll,
            *([past.forget] if forgotten else []),
            partial(past.record, last),
            past.seal_and_roll,
        ]
        for step in steps:
            await step()
            for window in asked:
                await past.compare(window)

    asyncio.run(compare())


async def _fill(made: Past) -> None:
    made.entity_id = "urn:ngsi-ld:Road:1"
    entity = {"id": made.entity_id, "type": [name_iri("Road")]}
    await made.work.write(lambda tx: SqliteEntities().put(tx, "city", entity, None))
    at = [to_us(T0) + n * HOUR // 4 for n in range(6 * 96)]
    await made.record(
        [
            {"type": "Property", "value": n % 7 + 0.1, "observedAt": format_us(one)}
            for n, one in enumerate(at)
        ]
    )
    await made.seal_and_roll()


@pytest.fixture
def month(tmp_path: Path) -> Iterator[Past]:
    made = Past(tmp_path)
    asyncio.run(_fill(made))
    yield made
    made.close()


def _window(period: int, *methods: str) -> TemporalQuery:
    start = to_us(T0)
    return TemporalQuery("between", start, start + 6 * DAY, methods=methods, period_us=period)


@pytest.mark.parametrize(("table", "period"), [("hourly", 6 * HOUR), ("daily", DAY)])
async def test_long_windows_are_answered_from_roll_ups(
    month: Past, table: str, period: int
) -> None:
    before = await month.summed(_window(period, "totalCount"))
    with month.sealed._change() as cursor:
        cursor.execute(f"UPDATE {table} SET n = n + 1000")

    after = await month.summed(_window(period, "totalCount"))

    assert [bucket[0] > 1000 for bucket in after[0]["totalCount"]] == [True] * len(
        before[0]["totalCount"]
    )


async def test_sums_outlive_the_observations_of_a_type_that_keeps_them_longer(month: Past) -> None:
    day = _window(DAY, "avg", "max", "stddev", "totalCount")
    whole = (await month.summed(day))[0]
    road = name_iri("Road")

    gone = await month.store.retain({road: 5 * DAY}, to_us(NOW), {road: 7 * DAY})
    left = (await month.summed(day))[0]

    assert gone == 3 * 96
    for method in ("avg", "max", "totalCount"):
        assert left[method] == whole[method][1:]
    assert [a[0] for a in left["stddev"]] == pytest.approx([a[0] for a in whole["stddev"][1:]])
    assert (await month.summed(_window(HOUR // 2, "totalCount")))[0]["totalCount"][0][0] == 2

    # Late: its day is kept as a sum alone, which a single number must not replace.
    late = {"type": "Property", "value": 9, "observedAt": format_us(to_us(T0) + DAY + HOUR)}
    await month.record([late])
    await month.seal_and_roll()
    assert (await month.summed(day))[0]["totalCount"] == left["totalCount"]

    await month.store.retain({road: 5 * DAY}, to_us(NOW), {road: 6 * DAY})
    assert (await month.summed(day))[0]["totalCount"] == left["totalCount"][1:]
    await month.forget()
    await month.seal_and_roll()
    assert await month.summed(day) == []


async def test_without_a_rule_of_their_own_sums_go_with_the_observations(month: Past) -> None:
    day = _window(DAY, "totalCount")
    await month.store.retain({"*": 5 * DAY}, to_us(NOW))
    assert len((await month.summed(day))[0]["totalCount"]) == 3
