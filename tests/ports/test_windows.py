"""The readings that vital signs keep between passes are those of the history, whatever happened since."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from chengmai.history.model import Columns, PastRow, Span
from chengmai.kernel.instants import to_us
from chengmai.ngsild.entity import entity, name_iri, prop
from chengmai.ngsild.patch import append, created
from chengmai.store.history import EmbeddedHistory
from chengmai.store.sqlite.entities import SqliteEntities
from chengmai.store.sqlite.work import SqliteTx, SqliteWork
from chengmai.store.windows import Shown, Windows
from chengmai.vitals.ports import Wanted

T0 = datetime(2026, 11, 1, tzinfo=UTC)
ROAD, SPEED, FLOW, AREA = map(name_iri, ("Road", "speed", "flow", "areaServed"))
LANES = name_iri("lanes")
WANTED = Wanted(ROAD, (FLOW, SPEED), (LANES,), AREA)
Reading = tuple[str, str, str, int, float]


class Roads:
    """Roads with a history, and windows over it."""

    def __init__(self, work: SqliteWork, history: EmbeddedHistory) -> None:
        self.work, self.history = work, history
        self.windows: Windows = history.windows()
        self._store = SqliteEntities()

    async def put(self, number: int, area: str, **numbers: Any) -> None:
        """Write a road with readings given as (minute, number), or something fixed."""
        moving = {
            name: prop(value[1], at=T0 + timedelta(minutes=value[0]))
            if isinstance(value, tuple)
            else prop(value)
            for name, value in numbers.items()
        }
        made = entity(road(number), "Road", areaServed=prop(area), **moving)

        def write(tx: SqliteTx) -> None:
            before = self._store.get(tx, "city", made["id"])
            stamp = "2026-11-01T00:00:00Z"
            result = created(made, stamp) if before is None else append(before, made, stamp)
            self._store.put(tx, "city", result.entity, before)
            self.history.record(tx, "city", made["id"], result.changed)

        await self.work.write(write)

    async def forget(self, number: int) -> None:
        await self.work.write(lambda tx: self.history.forget(tx, "city", road(number), SPEED))

    async def remove(self, number: int) -> None:
        def write(tx: SqliteTx) -> None:
            self._store.remove(tx, "city", road(number))
            self.history.forget(tx, "city", road(number))

        await self.work.write(write)

    async def void(self, number: int, minute: int) -> None:
        """Delete one reading of the speed."""

        def write(tx: SqliteTx) -> bool:
            found = self.history.instances(
                tx,
                "city",
                road(number),
                attributes=[SPEED],
                span=Span(at(minute), at(minute) + 1),
                last_n=None,
            )
            return any(
                self.history.edit_instance(
                    tx, "city", road(number), SPEED, one["instanceId"], lambda _: None
                )
                for one in found.get(SPEED, [])
            )

        await self.work.write(write)

    async def bring(self, block: str, number: int, minute: int, value: float) -> None:
        row = PastRow(road(number), SPEED, at(minute), value)
        await self.history.import_block("city", block, [row])

    async def latest(self, minute: int = 0, wanted: Wanted = WANTED) -> Shown:
        return await self.work.read(lambda tx: self.windows.latest(tx, "city", wanted, at(minute)))

    async def kept(self) -> list[Reading]:
        """Return what is kept, read as vital signs do."""
        return told(await self.latest())

    async def there(self) -> list[Reading]:
        """Return what the history holds."""
        return told(
            await self.work.read(
                lambda tx: self.history.columns(tx, "city", ROAD, (FLOW, SPEED), AREA, Span(at(0)))
            )
        )


def road(number: int) -> str:
    return f"urn:ngsi-ld:Road:{number}"


def at(minute: int) -> int:
    return to_us(T0 + timedelta(minutes=minute))


def told(found: Shown | Columns) -> list[Reading]:
    rows = zip(
        found.entity.tolist(),
        found.attribute.tolist(),
        found.at_us.tolist(),
        found.value.tolist(),
        strict=True,
    )
    return sorted(
        (found.entities[e], found.areas[e], found.attributes[a], at_us, value)
        for e, a, at_us, value in rows
    )


@pytest.fixture
def roads(work: SqliteWork, history: EmbeddedHistory) -> Roads:
    return Roads(work, history)


def _correct(roads: Roads) -> Awaitable[None]:
    return roads.put(1, "North", speed=(1, 99.0))


def _move(roads: Roads) -> Awaitable[None]:
    return roads.put(1, "South")


def _late(roads: Roads) -> Awaitable[None]:
    return roads.put(1, "North", speed=(0, 5.0), flow=(1, 7.0))


def _come(roads: Roads) -> Awaitable[None]:
    return roads.put(3, "East", speed=(4, 3.0))


CHANGES: dict[str, Callable[[Roads], Awaitable[None]]] = {
    "a reading is corrected": _correct,
    "a reading comes late, and another attribute for the first time": _late,
    "an entity moves to another area": _move,
    "an entity comes": _come,
    "a reading is deleted": lambda roads: roads.void(1, 1),
    "an attribute is forgotten": lambda roads: roads.forget(1),
    "an entity is deleted": lambda roads: roads.remove(2),
    "a block of the past is brought in": lambda roads: roads.bring("b", 1, 3, 4.0),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("sealed", ["never", "before", "between", "after"])
async def test_what_changed_is_seen(
    roads: Roads, change: Callable[[Roads], Awaitable[None]], sealed: str
) -> None:
    await roads.put(1, "North", speed=(1, 10.0))
    await roads.put(2, "South", speed=(1, 20.0), flow=(2, 3.0))
    if sealed == "before":
        await roads.history.seal()
    assert await roads.kept() == await roads.there() != []
    if sealed == "between":
        await roads.history.seal()

    await change(roads)
    if sealed == "after":
        await roads.history.seal()

    assert await roads.kept() == await roads.there()


async def test_nothing_new_is_the_same_object_and_news_another_version(roads: Roads) -> None:
    await roads.put(1, "North", speed=(1, 10.0), lanes=2)
    await roads.put(1, "North", speed=(1, 10.0), lanes=2)
    first = await roads.latest()
    assert await roads.latest() is first

    await roads.put(1, "North", speed=(2, 11.0))
    second = await roads.latest()
    assert second.version > first.version
    assert second.about == first.about or await roads.latest() is second


async def test_what_is_fixed_is_told_when_it_changes_and_not_when_it_is_said_again(
    roads: Roads,
) -> None:
    await roads.put(1, "North", speed=(1, 10.0), lanes=2)
    await roads.latest()
    await roads.put(1, "North", speed=(2, 10.0), lanes=3)
    said = await roads.latest()
    await roads.put(1, "North", speed=(3, 10.0), lanes=3)
    again = await roads.latest()
    await roads.put(1, "North", speed=(4, 10.0), lanes=4)
    other = await roads.latest()

    assert again.about == said.about
    assert other.about > again.about


async def test_an_earlier_start_reads_what_was_left_out(roads: Roads) -> None:
    await roads.put(1, "North", speed=(1, 10.0))
    await roads.put(1, "North", speed=(9, 20.0))

    assert [row[-1] for row in told(await roads.latest(5))] == [20.0]
    assert [row[-1] for row in told(await roads.latest(0))] == [10.0, 20.0]


async def test_what_nobody_read_so_far_is_complete_for_who_reads_it_first(roads: Roads) -> None:
    speeds = Wanted(ROAD, (SPEED,), (), AREA)
    await roads.put(1, "North", speed=(1, 10.0), flow=(1, 1.0))
    first = await roads.latest(wanted=speeds)
    await roads.put(1, "North", flow=(2, 2.0))
    assert (await roads.latest(wanted=speeds)).version == first.version

    assert await roads.kept() == await roads.there()
    await roads.put(1, "North", flow=(3, 3.0))
    assert [row[-1] for row in await roads.kept()] == [1.0, 2.0, 3.0, 10.0]
    assert (await roads.latest(wanted=speeds)).version == first.version


@pytest.mark.parametrize("seed", range(6))
async def test_any_order_of_changes_and_sealings_gives_what_the_history_holds(
    roads: Roads, seed: int
) -> None:
    random = Random(seed)
    for turn in range(40):
        number, minute = random.randrange(4), random.randrange(12)
        act = random.randrange(10)
        if act < 5:
            await roads.put(
                number, random.choice("NS"), speed=(minute, float(turn)), lanes=random.randrange(2)
            )
        elif act == 5:
            await roads.put(number, "N", flow=(minute, float(turn)))
        elif act == 6:
            await roads.void(number, minute)
        elif act == 7:
            await random.choice((roads.forget, roads.remove))(number)
        elif act == 8:
            await roads.bring(str(turn), number, minute, float(turn))
        else:
            await roads.history.seal(at_most=random.choice((1, 3, 100)))
        if random.random() < 0.5:
            assert await roads.kept() == await roads.there()
    assert await roads.kept() == await roads.there()
