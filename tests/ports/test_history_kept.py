"""What is kept of the sealed history between questions never answers otherwise than the file itself."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from chengmai.history.model import PastRow
from chengmai.kernel.clock import FixedClock
from chengmai.kernel.instants import to_us
from chengmai.ngsild.entity import Instance, name_iri
from chengmai.ngsild.temporal import TemporalQuery
from chengmai.store.duckdb.kept import Kept, State
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.duckdb.taking import to_arrays
from chengmai.store.history import EmbeddedHistory
from chengmai.store.problems import StoreFailed
from chengmai.store.sqlite.work import SqliteTx, SqliteWork

T0 = datetime(2026, 11, 1, tzinfo=UTC)
SPEED, NAME = name_iri("speed"), name_iri("name")
ROADS = ("urn:ngsi-ld:Road:1", "urn:ngsi-ld:Road:2")
HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
WINDOWS = (
    TemporalQuery(timeproperty="observedAt"),
    TemporalQuery(last_n=3),
    TemporalQuery("after", to_us(T0 + timedelta(hours=5)), None),
    TemporalQuery(timeproperty="modifiedAt"),
    TemporalQuery(methods=("avg", "max", "totalCount"), period_us=HOUR_US),
    TemporalQuery("after", to_us(T0), None, methods=("sum", "sumsq"), period_us=DAY_US),
    TemporalQuery(methods=("avg", "distinctCount"), period_us=60_000_000),
)


class _Past:
    """A history, what may happen to it, and what it answers."""

    def __init__(self, work: SqliteWork, history: EmbeddedHistory) -> None:
        self.work, self.history, self.sealed = work, history, history._sealed
        self._blocks = 0

    async def answers(self) -> list[Any]:
        def ask(tx: SqliteTx) -> list[Any]:
            found: list[Any] = []
            for road in ROADS:
                found += [
                    self.history.past(tx, "city", road, one, first_n=9) for one in WINDOWS[:4]
                ]
                found += [self.history.summaries(tx, "city", road, one) for one in WINDOWS[4:]]
                found.append(self.history.has_past(tx, "city", road))
            return found

        return await self.work.read(ask)

    async def do(self, chance: Random) -> None:
        road, name = chance.choice(ROADS), chance.choice([SPEED, SPEED, NAME])
        what = chance.choice(
            ["record", "record", "record", "seal", "seal", "tend", "forget", "block"]
        )
        at = T0 + timedelta(minutes=chance.randrange(60 * 72))
        if what == "record":
            value = (
                chance.choice([1, 2.5, 0.1, "a"]) if name == NAME else chance.choice([1, 2.5, 0.1])
            )
            made: Instance = {"type": "Property", "value": value, "observedAt": at.isoformat()}
            await self.work.write(lambda tx: self.history.record(tx, "city", road, [(name, made)]))
        elif what == "seal":
            await self.history.seal()
        elif what == "tend":
            self.sealed.merge(fan=2)
            while self.sealed.roll(_day(T0) + 2):
                pass
        elif what == "forget":
            await self.work.write(lambda tx: self.history.forget(tx, "city", road, name))
        else:
            self._blocks += 1
            row = PastRow(road, "speed-of-old", to_us(at), 3.0, "")
            await self.history.import_block("city", f"block {self._blocks}", [row])


def _day(at: datetime) -> int:
    return at.toordinal() - 1


@pytest.mark.parametrize("seed", range(3))
async def test_answers_are_the_same_kept_and_read_anew(
    work: SqliteWork, history: EmbeddedHistory, seed: int
) -> None:
    chance, past = Random(seed), _Past(work, history)
    for _ in range(25):
        await past.do(chance)
        first, again = await past.answers(), await past.answers()
        past.sealed._kept.end()
        past.sealed._kept.forget(None)
        assert first == again == await past.answers()


async def test_what_is_asked_again_is_not_read_again(
    work: SqliteWork, history: EmbeddedHistory
) -> None:
    past = _Past(work, history)
    for n in range(30):
        at = (T0 + timedelta(hours=n)).isoformat()
        made: Instance = {"type": "Property", "value": n, "observedAt": at}
        record = partial(history.record, tenant="city", entity_id=ROADS[0], changes=[(SPEED, made)])
        await work.write(record)
    await history.seal()
    await past.answers()
    await past.answers()
    state, held = past.sealed._kept.state, len(past.sealed._kept._held)
    await past.answers()

    assert past.sealed._kept.state is state is not None
    assert held > 5
    assert len(past.sealed._kept._held) == held


def test_what_was_read_before_a_change_is_not_held_after_it() -> None:
    kept, old, new = Kept(), State(1, 0, has_let_go=False), State(2, 0, has_let_go=False)
    kept.begin(old)
    kept.put(old, 7, "a", "of the old state", 10)
    kept.end()
    kept.put(old, 7, "b", "too late", 10)
    kept.forget({7})
    kept.begin(new)
    kept.put(old, 7, "c", "much too late", 10)
    kept.put(new, 8, "a", "of the new state", 10)

    assert [kept.get(7, key) for key in "abc"] == [None, None, None]
    assert kept.get(8, "a") == "of the new state"


def test_what_is_held_stays_within_its_bound_and_what_is_asked_for_stays_longest() -> None:
    kept, state = Kept(most_bytes=10_000), State(1, 0, has_let_go=False)
    kept.begin(state)
    for n in range(100):
        kept.put(state, n, "a", n, 600)
        kept.get(0, "a")
    kept.put(state, 500, "a", "too large", 9_000)

    assert kept.get(0, "a") == 0
    assert kept.get(500, "a") is None
    assert sum(kept.get(n, "a") is not None for n in range(100)) == 10
    kept.forget(range(100))
    assert not kept._of
    assert kept._weight == 0


async def test_who_looks_while_observations_are_sealed_sees_each_once(
    tmp_path: Path, clock: FixedClock
) -> None:
    work = SqliteWork(tmp_path / "state.db", "00" * 32, clock)
    sealed = SealedHistory(tmp_path / "history.duckdb")
    done = threading.Event()
    seen: list[int] = []

    def look() -> None:
        while not done.is_set():
            mark, rows = sealed.look(
                lambda sight: (
                    sight.state.watermark,
                    sight.cursor.execute("SELECT max(seq), count(*) FROM observation").fetchall(),
                )
            )
            seen.append((rows[0][0] or -1) - mark)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for one in threads:
        one.start()
    for n in range(1, 60):
        sealed.seal([(1, n * 1_000_000, n * 1_000_000, n, True, 1.0, None)], n, [])
    done.set()
    for one in threads:
        one.join()
    sealed.close()
    work.close()

    assert seen
    assert set(seen) <= {0}, "what is seen and the watermark are of one state"


def test_a_closed_history_is_closed_for_who_has_looked_before(tmp_path: Path) -> None:
    sealed = SealedHistory(tmp_path / "history.duckdb")
    sealed.seal(_rows(1), 1, [])
    for _ in range(3):
        sealed.look(lambda sight: sight.cursor.execute("SELECT 1 FROM past").fetchall())
    sealed.close()
    with pytest.raises(StoreFailed):
        sealed.look(lambda sight: sight.state)
    other = SealedHistory(tmp_path / "history.duckdb")
    assert other.watermark() == 1
    other.close()


def _rows(n: int) -> Any:
    rows = [(1, one * 1_000_000, one * 1_000_000, one, True, 1.0, None) for one in range(n)]
    assert len(to_arrays(rows)["series"]) == n
    return rows
