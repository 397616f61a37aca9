"""What the history aggregates where it lies is what `ngsild.aggregates` makes of the instances."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chengmai.kernel.clock import FixedClock
from chengmai.kernel.instants import to_us
from chengmai.ngsild.contexts import ContextCompiler, core_documents
from chengmai.ngsild.entity import Instance, name_iri
from chengmai.ngsild.temporal import METHODS, TemporalQuery, TimeProperty
from chengmai.ngsild.temporal_view import compact_evolution
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.history import EmbeddedHistory
from chengmai.store.sqlite.work import SqliteWork

T0 = datetime(2026, 11, 1, tzinfo=UTC)
SPEED, NAME = name_iri("speed"), name_iri("name")
ROAD = "urn:ngsi-ld:Road:1"
CORE = ContextCompiler(core_documents(), None).core
NUMBERS = count()

numbers = st.one_of(
    st.integers(-5, 5),
    st.floats(-1e3, 1e3),
    st.sampled_from([0.1, 0.2, 1e16, -0.0, 1e308, 2**53, 2**60]),
)
odd = st.one_of(st.booleans(), st.sampled_from(["a", "b"]), st.lists(st.integers(0, 2), max_size=2))
times: st.SearchStrategy[TimeProperty] = st.sampled_from(["observedAt", "modifiedAt", "createdAt"])
bounds = st.one_of(st.none(), st.integers(-10, 70).map(lambda n: to_us(T0 + timedelta(minutes=n))))


@st.composite
def readings(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> Instance:
    made: Instance = {"type": "Property", "value": draw(values)}
    if draw(st.integers(0, 9)):
        seconds = draw(st.sampled_from([0, 60, 90, 600, 601.5, 3600]))
        at = T0 + timedelta(seconds=seconds + draw(st.integers(0, 3)))
        made["observedAt"] = at.isoformat()
    if draw(st.booleans()):
        made["datasetId"] = "urn:d"
    return made


@st.composite
def windows(draw: st.DrawFn) -> TemporalQuery:
    start, end = draw(bounds), draw(bounds)
    return TemporalQuery(
        timerel="between",
        start_us=start,
        end_us=end if start is None or end is None or end >= start else None,
        timeproperty=draw(times),
        last_n=draw(st.one_of(st.none(), st.integers(1, 4))),
        methods=tuple(draw(st.lists(st.sampled_from(METHODS), min_size=1, unique=True))),
        period_us=draw(st.sampled_from([0, 1, 60_000_000, 90_500_000, 3_600_000_000])),
    )


class Past:
    """One history for all examples; each has an entity of its own."""

    def __init__(self, folder: Any) -> None:
        clock = FixedClock(datetime(2026, 11, 22, 8, 0, tzinfo=UTC))
        self.work = SqliteWork(folder / "state.db", "0" * 64, clock)
        self.sealed = SealedHistory(folder / "history.duckdb")
        self.store = EmbeddedHistory(self.work, self.sealed)

    async def record(self, entity_id: str, name: str, made: list[Instance]) -> None:
        changes = [(name, one) for one in made]
        await self.work.write(lambda tx: self.store.record(tx, "city", entity_id, changes))

    async def compare(self, entity_id: str, window: TemporalQuery) -> None:
        def both(tx: Any) -> tuple[Any, Any]:
            return (
                self.store.past(tx, "city", entity_id, window),
                self.store.summaries(tx, "city", entity_id, window),
            )

        told, summed = await self.work.read(both)
        if window.last_n is not None:
            for found in told.values():
                found.reverse()
        head = {"id": entity_id, "type": [name_iri("Road")]}
        shown = [
            compact_evolution(head, series, CORE, window, "aggregatedValues")
            for series in (told, summed)
        ]
        assert shown[1] == shown[0]
        assert list(shown[1]) == list(shown[0])


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    made = Past(tmp_path_factory.mktemp("past"))
    yield made
    made.work.close()
    made.sealed.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    first=st.lists(readings(numbers), max_size=12),
    then=st.lists(readings(numbers), max_size=6),
    others=st.lists(readings(st.one_of(numbers, odd)), max_size=6),
    asked=st.lists(windows(), min_size=1, max_size=4),
)
def test_aggregates_of_recent_and_sealed_parts_are_those_of_the_instances(
    past: Past,
    first: list[Instance],
    then: list[Instance],
    others: list[Instance],
    asked: list[TemporalQuery],
) -> None:
    entity_id = f"urn:ngsi-ld:Road:{next(NUMBERS)}"

    async def compare() -> None:
        await past.record(entity_id, SPEED, first)
        await past.record(entity_id, NAME, others[:3])
        await past.store.seal()
        await past.record(entity_id, SPEED, then)  # which may correct what is sealed
        await past.record(entity_id, NAME, others[3:])
        for window in asked:
            await past.compare(entity_id, window)

    asyncio.run(compare())
